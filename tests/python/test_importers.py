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


# The process of the agent, which is never what its tools are called on.
EMITTER = {
    "service.name": "scaler",
    "deployment.environment.name": "production",
    "k8s.cluster.name": "eu-1",
    "k8s.namespace.name": "agents",
    "k8s.pod.name": "scaler-7f9c-x2x",
    "k8s.node.name": "node-3",
}


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
    service = [{"key": key, "value": {"stringValue": value}} for key, value in EMITTER.items()]
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


def test_a_transcript_that_has_grown_completes_what_was_pending(history):
    def told(messages):
        return history.import_actions(
            actionhist.transcripts.actions(messages, session_id="run", at=NOON - timedelta(hours=1))
        )

    assert told(OPENAI[:2]) == {"stored": 2, "completed": 0, "present": 0}
    assert told(OPENAI) == {"stored": 0, "completed": 1, "present": 1}
    assert told(OPENAI) == {"stored": 0, "completed": 0, "present": 2}
    assert told(OPENAI[:2]) == {"stored": 0, "completed": 0, "present": 2}
    stored = history.get("run:call_1")
    assert stored.execution_status == "completed" and stored.result_hash
    assert history.get("run:call_2").execution_status == "pending"


def test_blocks_of_content_and_times_are_understood(history):
    (found,) = history.record_many(actionhist.transcripts.actions(ANTHROPIC, session_id="s"))
    assert found.action_timestamp == NOON - timedelta(hours=1)
    assert found.action_parameters == {"pod": "web-1"}
    assert found.model_reasoning == "I restart it."
    assert found.execution_status == "failed"
    assert found.execution_error == "forbidden"
    assert found.execution_end_time == NOON - timedelta(minutes=59, seconds=55)


DIALECTS = {
    "functions of OpenAI": [
        {"role": "assistant", "content": "I restart.", "function_call": {"name": "restart", "arguments": '{"n": 1}'}},
        {"role": "function", "name": "restart", "content": "restarted"},
    ],
    "responses of OpenAI": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "I restart."}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "restart", "arguments": '{"n": 1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "restarted"},
    ],
    "Gemini": [
        {"role": "model", "parts": [{"text": "I restart."}, {"functionCall": {"name": "restart", "args": {"n": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "restart", "response": {"result": "restarted"}}}]},
    ],
    "Bedrock": [
        {"role": "assistant", "content": [
            {"text": "I restart."}, {"toolUse": {"toolUseId": "t1", "name": "restart", "input": {"n": 1}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "restarted"}]}}]},
    ],
    "LangChain": [
        {"type": "ai", "data": {
            "content": [{"type": "text", "text": "I restart."}, {"type": "tool_use", "id": "t1", "name": "restart"}],
            "tool_calls": [{"name": "restart", "args": {"n": 1}, "id": "t1", "type": "tool_call"}]}},
        {"type": "tool", "data": {"tool_call_id": "t1", "content": "restarted", "status": "success"}},
    ],
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dialects_of_the_frameworks_are_understood(history, dialect):
    messages = DIALECTS[dialect]
    at = NOON - timedelta(minutes=5)
    (found,) = history.record_many(actionhist.transcripts.actions(messages, session_id="s", at=at))
    assert (found.action_type, found.action_parameters, found.model_reasoning, found.execution_status) == (
        "restart", {"n": 1}, "I restart.", "completed")
    assert found.result_hash


def test_failures_of_the_dialects_are_understood():
    def failure(call, answer):
        (found,) = actionhist.transcripts.actions([call, answer], session_id="s", at=NOON)
        return found["execution_status"], found["execution_error"]

    gemini, _ = DIALECTS["Gemini"]
    response = {"functionResponse": {"name": "restart", "response": {"error": "forbidden"}}}
    assert failure(gemini, {"role": "user", "parts": [response]}) == ("failed", '{"error": "forbidden"}')
    langchain, _ = DIALECTS["LangChain"]
    answer = {"type": "tool", "tool_call_id": "t1", "content": "forbidden", "status": "error"}
    assert failure(langchain, answer) == ("failed", "forbidden")


def test_ids_that_begin_anew_in_each_message_stay_apart():
    def turn(n):
        call = {"id": "call_0", "function": {"name": "restart", "arguments": {"n": n}}}
        return [{"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_0", "content": str(n)}]

    found = actionhist.transcripts.actions([*turn(1), *turn(2)], session_id="s", at=NOON)
    assert [a["action_id"] for a in found] == ["s:call_0", "s:call_0.2"]
    assert [a["action_parameters"] for a in found] == [{"n": 1}, {"n": 2}]
    assert all(a["execution_status"] == "completed" for a in found)


def test_what_is_odd_in_a_transcript_is_kept_or_passed_over(history):
    def call(arguments):
        return {"role": "assistant", "content": None, "created": 1773140400000,
                "tool_calls": [{"id": "c", "function": {"name": "größe_ändern", "arguments": arguments}}]}

    odd = [
        {"role": "assistant", "tool_calls": "none", "content": 5},
        {"role": "assistant", "tool_calls": [None, 3, {}, {"function": "x"}, {"function": {"name": ""}}]},
        {"role": "tool", "tool_call_id": "nobody", "content": "x"},
        {"role": "user", "content": [{"type": "tool_result"}, "text"]},
        call('{"x": NaN, "日本": "🚀"}'),
        {"role": "tool", "tool_call_id": "c", "content": "x" * 5_000_000, "is_error": True},
    ]
    (found,) = history.record_many(actionhist.transcripts.actions(odd, session_id="s"))
    assert found.action_type == "größe_ändern" and found.action_parameters == {"x": "NaN", "日本": "🚀"}
    assert found.action_timestamp == NOON - timedelta(hours=1) and len(found.execution_error) == 2000
    (deep,) = actionhist.transcripts.actions([call("[" * 100_000)], session_id="s")
    assert deep["action_parameters"] == {"arguments": "[" * 100_000}
    for wrong in (1e300, float("nan"), "yesterday", [], "2026-03-10"):
        with pytest.raises(ValueError, match=r"messages\[0\].created: is no time"):
            actionhist.transcripts.actions([{"role": "user", "created": wrong}], session_id="s")


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
    assert trace.environment == "production"
    assert (trace.cluster, trace.kind, trace.namespace, trace.name) == ("eu-1", "Deployment", "prod", "web")
    assert trace.execution_duration_ms == 2500
    assert trace.execution_status == "completed"
    assert not history.record_many(actionhist.otlp.actions(given))[0].stored


def test_the_process_that_wrote_a_span_is_not_what_its_tool_was_called_on():
    nowhere = {"k8s.deployment.name": None, "k8s.namespace.name": None}
    (action,) = actionhist.otlp.actions(export(span(attributes=nowhere)))
    assert "resource_reference" not in action and action["actor"] == "scaler"
    own = {"k8s.deployment.name": {"stringValue": "web"}, "k8s.cluster.name": {"stringValue": "us-2"}}
    (action,) = actionhist.otlp.actions(export(span(attributes={**nowhere, **own})))
    assert action["resource_reference"] == {"kind": "Deployment", "name": "web", "cluster": "us-2"}


def test_a_span_that_failed_says_why():
    (failed,) = actionhist.otlp.actions(export(span(status={"code": 2, "message": "quota"})))
    assert (failed["execution_status"], failed["execution_error"]) == ("failed", "quota")
    typed = span(status={"code": "STATUS_CODE_ERROR"}, attributes={"error.type": {"stringValue": "Timeout"}})
    assert actionhist.otlp.actions(export(typed))[0]["execution_error"] == "Timeout"


@pytest.mark.parametrize("wrong", ["[1]", "nonsense", '{"resourceSpans": 5}', '{"resourceSpans": ["x"]}'])
def test_what_is_no_export_is_refused(wrong):
    with pytest.raises(ValueError, match="otlp: "):
        actionhist.otlp.actions(wrong)


def test_other_conventions_are_understood():
    def found(**attributes):
        none = {name: None for name in ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.arguments")}
        given = {name: {"stringValue": value} for name, value in attributes.items()}
        (action,) = actionhist.otlp.actions(export(span(attributes={**none, **given})))
        return action["action_type"], action["action_parameters"], "result_hash" in action

    assert found(**{"openinference.span.kind": "TOOL", "tool.name": "restart", "input.value": '{"n": 1}',
                    "output.value": "done"}) == ("restart", {"n": 1}, True)
    assert found(**{"traceloop.span.kind": "tool", "traceloop.entity.name": "restart",
                    "traceloop.entity.input": '{"n": 1}'}) == ("restart", {"n": 1}, False)


@pytest.mark.parametrize("wrong", [
    {"startTimeUnixNano": "soon"}, {"startTimeUnixNano": None}, {"startTimeUnixNano": str(10**30)},
    {"endTimeUnixNano": []}, {"attributes": {"n": {"intValue": "many"}}}, {"attributes": {"n": {"intValue": None}}},
    {"spanId": ""}, {"attributes": {"n": {"arrayValue": {"values": 3}}}},
])
def test_a_span_that_is_wrong_is_named(wrong):
    with pytest.raises(ValueError, match="otlp: .*(span|array)"):
        actionhist.otlp.actions(export(span(**wrong)))


def test_what_is_odd_in_an_export_is_kept_or_passed_over():
    odd = span(attributes={"n": {"arrayValue": None}, "m": {"kvlistValue": {}}, "o": {"newValue": 1}}, status=None)
    document = export(odd, span(attributes={"gen_ai.tool.name": {"stringValue": "größe\u2028🚀"}}))
    document["resourceSpans"][0]["resource"] = None
    lines = json.dumps(document, ensure_ascii=False) + "\r\n\n" + json.dumps(export())
    plain, odd_name = actionhist.otlp.actions(b"\xef\xbb\xbf" + lines.encode())
    assert plain["action_type"] == "scale_deployment" and odd_name["action_type"] == "größe\u2028🚀"
    with pytest.raises(ValueError, match="otlp: line 2: "):
        actionhist.otlp.actions(json.dumps(export()) + '\n{"resourceSpans": [')


def test_a_large_export_is_recorded():
    spans = [span(spanId=f"{i:016x}") for i in range(5_000)]
    with actionhist.open("memory:", semantic=False) as history:
        assert len(history.record_many(actionhist.otlp.actions(json.dumps(export(*spans))))) == 5_000


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


@pytest.fixture
def finished():
    """A function that makes a span of this process, which executed a tool."""
    trace_sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.resources import Resource

    tracer = trace_sdk.TracerProvider(resource=Resource(EMITTER)).get_tracer("test")

    def make(name="restart_pod", start=1773140400000000000, **attributes):
        usual = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        made = tracer.start_span(name, start_time=start, attributes={**usual, **attributes})
        made.end(start + 1_000_000)
        return made

    return make


def test_one_bad_span_loses_no_other(history, finished, caplog):
    from actionhist.opentelemetry import ActionExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    good = [finished(f"tool_{i}") for i in range(20)]
    bad = [
        finished("too_large", **{"gen_ai.tool.call.arguments": json.dumps({"text": "x" * 300_000})}),
        finished("id_too_long", **{"gen_ai.conversation.id": "s" * 300}),
        finished("before_time", start=-(10**30)),
    ]
    spans = [bad[0], *good[:9], bad[1], *good[9:], bad[2]]
    assert ActionExporter(history).export(spans) is SpanExportResult.FAILURE
    assert {trace.action_type for trace in history.history(limit=100)} == {span.name for span in good}
    lost = " ".join(record.getMessage() for record in caplog.records)
    assert len(caplog.records) == 3 and "before_time" in lost
    assert all(f"{span.context.span_id:016x}" in lost for span in bad[:2])


def test_spans_are_never_lost_by_an_exception(finished, caplog):
    from actionhist.opentelemetry import ActionExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    closed = actionhist.open("memory:")
    exporter = ActionExporter(closed)
    assert exporter.export([finished()]) is SpanExportResult.SUCCESS
    (trace,) = closed.history()
    assert (trace.actor, trace.environment, trace.kind) == ("scaler", "production", None)
    closed.close()
    assert exporter.export([finished(), finished()]) is SpanExportResult.FAILURE
    assert "is closed" in caplog.text


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
