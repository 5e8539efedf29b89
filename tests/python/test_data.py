"""Real records of an agent, as it wrote them."""

import json

import actionhist


def test_real_records_are_imported_once(data):
    with data("actions/ingest_records.jsonl").open() as lines:
        records = [json.loads(line) for line in lines]
    with actionhist.open("memory:") as h:
        traces = h.record_many(records)
        assert len(traces) == 1100 and all(trace.stored for trace in traces)
        assert not any(trace.stored for trace in h.record_many(records))
        assert len(h.history(limit=10_000)) == 1100
        # What nobody assessed has no score, and what is no column is kept.
        for record, trace in zip(records, traces):
            assert trace.effectiveness_score == record.get("effectiveness_score")
            assert trace.model_confidence == record.get("model_confidence")
            assert trace.result_hash == record.get("observation_hash")
            assert trace.action_parameters == record.get("action_parameters")
            assert trace.effect == ("read_only" if record["record_kind"] == "investigation" else "mutating")
        assert h.wait_indexed(timeout=120)
        assert h.health()["index"]["rows"] == 1100
        hits = h.similar(
            "pod crash looping because of a wrong configuration",
            limit=10,
            where={"alert_name": "KubePodCrashLooping"},
        )
        assert len(hits) == 10 and {hit.trace.alert_name for hit in hits} == {"KubePodCrashLooping"}
