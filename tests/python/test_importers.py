"""Actions from transcripts, from OTLP files and from spans; records as tables."""

import json
from datetime import datetime, timedelta, timezone

import pytest

import actionhist
from conftest import NOON

OPENAI = [
    {"role": "user", "content": "checkout is slow"},
    {
        "role": "assistant",
        "content": "Three pods are too few.",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "scale_deployment", "arguments": '{"name": "checkout", "replicas": 5}'},
            },
            {"id": "call_2", "type": "function", "function": {"name": "get_pods", "arguments": "not json"}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "scaled"},
    {"role": "assistant", "content": "Done.", "tool_calls": None},
]
ANTHROPIC = [
    {
        "role": "assistant",
        "created_at": "2026-03-10T11:00:00Z",
        "content": [
            {"type": "text", "text": "I restart it."},
            {"type": "tool_use", "id": "t1", "name": "restart_pod", "input": {"pod": "web-1"}},
        ],
    },
    {
        "role": "user",
        "created_at": "2026-03-10T11:00:05Z",
        "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": "forbidden"}],
    },
]


def span(**more):
    attributes = {
        "gen_ai.operation.name": {"stringValue": "execute_tool"},
        "gen_ai.tool.name": {"stringValue": "scale_deployment"},
        "gen_ai.tool.call.arguments": {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "5"}}]}},
        "gen_ai.conversation.id": {"stringValue": "run-7"},
        "k8s.deployment.name": {"stringValue": "web"},
        "k8s.namespace.name": {"stringValue": "prod"},
        **more.pop("attributes", {}),
    }
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "execute_tool scale_deployment",
        "startTimeUnixNano": "1773140400000000000",
        "endTimeUnixNano": "1773140402500000000",
        "attributes": [{"key": key, "value": value} for key, value in attributes.items() if value],
        **more,
    }


def export(*spans):
    service = [{"key": "service.name", "value": {"stringValue": "scaler"}}]
    return {"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [{"spans": list(spans)}]}]}


def test_a_transcript_becomes_actions_with_their_outcomes(history):
    found = actionhist.transcripts.actions(
        OPENAI, session_id="run-7", at=NOON - timedelta(minutes=5), actor="scaler", model="m-1"
    )
    first, second = history.record_many(found)
    assert first.action_id == "run-7:call_1"
    assert first.action_type == "scale_deployment"
    assert first.action_parameters == {"name": "checkout", "replicas": 5}
    assert first.model_reasoning == "Three pods are too few."
    assert first.execution_status == "completed"
    assert first.session_id == "run-7"
    assert first.actor == "scaler"
    assert second.action_parameters == {"arguments": "not json"}
    assert second.execution_status == "pending"
    assert [trace.stored for trace in history.record_many(found)] == [False, False]


def test_blocks_of_content_and_times_are_understood(history):
    (found,) = history.record_many(actionhist.transcripts.actions(ANTHROPIC, session_id="s"))
    assert found.action_timestamp == NOON - timedelta(hours=1)
    assert found.action_parameters == {"pod": "web-1"}
    assert found.model_reasoning == "I restart it."
    assert found.execution_status == "failed"
    assert found.execution_error == "forbidden"
    assert found.execution_end_time == NOON - timedelta(minutes=59, seconds=55)


def test_a_transcript_without_times_or_objects_is_refused():
    with pytest.raises(ValueError, match=r"messages\[1\]: has no time"):
        actionhist.transcripts.actions(OPENAI, session_id="s")
    with pytest.raises(ValueError, match=r"messages\[0\]"):
        actionhist.transcripts.actions(["text"], session_id="s")
    with pytest.raises(ValueError, match="timestamp"):
        actionhist.transcripts.actions([{"role": "user", "timestamp": "2026-03-10T11:00:00"}], session_id="s")
    assert actionhist.transcripts.actions([], session_id="s") == []


@pytest.mark.parametrize("form", ["parsed", "document", "lines", "bytes"])
def test_spans_of_a_file_become_actions(history, form):
    other = span(attributes={"gen_ai.operation.name": {"stringValue": "chat"}})
    document = export(span(), other)
    given = {
        "parsed": document,
        "document": json.dumps(document, indent=2),
        "lines": json.dumps(document) + "\n" + json.dumps(export()) + "\n",
        "bytes": json.dumps(document).encode(),
    }[form]
    (trace,) = history.record_many(actionhist.otlp.actions(given))
    assert trace.action_id == "otel:0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331"
    assert trace.action_type == "scale_deployment"
    assert trace.action_parameters == {"n": 5}
    assert trace.session_id == "run-7"
    assert trace.actor == "scaler"
    assert (trace.kind, trace.namespace, trace.name) == ("Deployment", "prod", "web")
    assert trace.execution_duration_ms == 2500
    assert trace.execution_status == "completed"
    assert not history.record_many(actionhist.otlp.actions(given))[0].stored


def test_a_span_that_failed_says_why():
    (failed,) = actionhist.otlp.actions(export(span(status={"code": 2, "message": "quota"})))
    assert (failed["execution_status"], failed["execution_error"]) == ("failed", "quota")
    typed = span(status={"code": "STATUS_CODE_ERROR"}, attributes={"error.type": {"stringValue": "Timeout"}})
    assert actionhist.otlp.actions(export(typed))[0]["execution_error"] == "Timeout"


@pytest.mark.parametrize("wrong", ["[1]", "nonsense", '{"resourceSpans": 5}', '{"resourceSpans": ["x"]}'])
def test_what_is_no_export_is_refused(wrong):
    with pytest.raises(ValueError):
        actionhist.otlp.actions(wrong)


def test_spans_of_this_process_are_recorded():
    trace_sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from actionhist.opentelemetry import span_processor

    with actionhist.open("memory:") as h:
        provider = trace_sdk.TracerProvider()
        provider.add_span_processor(span_processor(h))
        tracer = provider.get_tracer("test")
        with pytest.raises(LookupError):
            with tracer.start_as_current_span("execute_tool restart_pod") as current:
                current.set_attributes(
                    {
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": "restart_pod",
                        "gen_ai.tool.call.arguments": '{"pod": "web-1"}',
                    }
                )
                raise LookupError("no such pod")
        with tracer.start_as_current_span("chat"):
            pass
        provider.force_flush()
        (trace,) = h.history()
        assert trace.action_type == "restart_pod"
        assert trace.action_parameters == {"pod": "web-1"}
        assert "no such pod" in trace.execution_error
        provider.shutdown()
        assert not h.closed


def test_records_as_columns(history, restart):
    history.record(restart("a-1", effectiveness_score=0.5, execution_status="completed"))
    history.record(restart("a-2"))
    table = actionhist.tables.columns(history.history())
    assert sorted(table["action_id"]) == ["a-1", "a-2"]
    assert sorted(map(str, table["effectiveness_score"])) == ["0.5", "None"]
    assert table["action_timestamp"] == [datetime(2026, 3, 10, 12, tzinfo=timezone.utc)] * 2
    hits = actionhist.tables.columns(history.similar("pod crashes", fresh=True))
    assert len(hits["score"]) == len(hits["action_id"]) == 2
    assert actionhist.tables.columns([]) == {}


def test_records_as_a_data_frame(history, restart):
    pandas = pytest.importorskip("pandas")
    history.record(restart("a-1"))
    frame = actionhist.tables.to_pandas(history.history())
    assert list(frame["action_id"]) == ["a-1"]
    assert frame["action_timestamp"][0] == pandas.Timestamp(NOON)


def test_records_as_an_arrow_table(history, restart):
    pytest.importorskip("pyarrow")
    history.record(restart("a-1", action_parameters={"n": 1}))
    table = actionhist.tables.to_arrow(history.history())
    assert table.column("action_parameters").to_pylist() == ['{"n": 1}']
    assert table.column("action_timestamp").to_pylist() == [NOON]
