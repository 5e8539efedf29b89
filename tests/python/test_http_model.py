"""Models behind HTTP, against a server that answers well, badly, late or not at all."""

import base64
import gzip
import json
import math
import struct
import threading
import time

import pytest
from http_server import Server

import actionhist

KEY = "sk-very-secret-key"
DIMENSION = 8


def vector_of(text):
    values = [float(text.count(chr(97 + i))) for i in range(DIMENSION - 1)]
    return values + [1.0]


def well(handler, body):
    data = [{"object": "embedding", "index": i, "embedding": vector_of(t)} for i, t in enumerate(body["input"])]
    # Servers need not keep the order.
    handler.answer(200, {"object": "list", "data": data[::-1], "model": body.get("model")})


def in_base64(handler, body):
    data = [
        {"index": i, "embedding": base64.b64encode(struct.pack(f"<{DIMENSION}f", *vector_of(t))).decode()}
        for i, t in enumerate(body["input"])
    ]
    handler.answer(200, {"data": data})


def status(code, error="oops", **headers):
    return lambda handler, body: handler.answer(code, {"error": {"code": error, "message": str(body)}}, **headers)


def vectors(change):
    def act(handler, body):
        data = [{"index": i, "embedding": vector_of(t)} for i, t in enumerate(body["input"])]
        handler.answer(200, {"data": change(data)})

    return act


def raw(data):
    return lambda handler, body: handler.answer(200, data)


def hang_up(handler, body):
    handler.close_connection = True


def cut_off(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    handler.close_connection = True


def compressed(handler, body):
    data = {"data": [{"index": i, "embedding": vector_of(t)} for i, t in enumerate(body["input"])]}
    handler.answer(200, gzip.compress(json.dumps(data).encode()), Content_Encoding="gzip")


def not_compressed(handler, body):
    handler.answer(200, b"{}", Content_Encoding="gzip")


def far_too_long(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 32))
    handler.end_headers()
    handler.close_connection = True


@pytest.fixture
def server():
    s = Server(well)
    yield s
    s.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    monkeypatch.delenv("ACTIONHIST_EMBEDDER_API_KEY", raising=False)


def opened(server, **options):
    # Retries without a wish of the server wait half a second; tests have no time for that.
    return actionhist.open_model(server.url(), **{"max_retries": 0, "timeout_ms": 60_000, **options})


def test_vectors_come_in_the_order_of_the_texts(server):
    model = opened(server)
    assert model.dimension == DIMENSION
    assert model.space_id.startswith(f"http/letters/{DIMENSION}/")
    texts = [f"c{'a' * (i % 7)}{'b' * (i % 5)}" for i in range(75)]
    texts[3] = texts[70] = ""
    texts[9] = " \n"
    rows = model.embed(texts)
    for text, row in zip(texts, rows):
        assert list(row) == (vector_of(text) if text.strip() else [0.0] * DIMENSION)
    sent = [body["input"] for _, _, body in server.requests[1:]]
    assert sorted(map(len, sent)) == [8, 32, 32]
    assert all(body["encoding_format"] == "float" and body["model"] == "letters" and "dimensions" not in body
               for _, _, body in server.requests)
    assert {path for path, _, _ in server.requests} == {"/v1/embeddings"}


def test_requests_run_side_by_side(server):
    barrier = threading.Barrier(3)

    def together(handler, body):
        barrier.wait(timeout=60)
        well(handler, body)

    model = opened(server, concurrency=3, max_batch=1, dimension=DIMENSION)
    server.script = [together] * 3
    model.embed(["a", "b", "c"])
    assert server.most_active == 3
    model.embed(["a"] * 20)
    assert server.most_active == 3


def test_base64_is_taken_as_well(server):
    model = opened(server, dimension=DIMENSION)
    server.script = [in_base64]
    assert [list(row) for row in model.embed(["abc", "dd"])] == [vector_of("abc"), vector_of("dd")]


def test_answers_may_be_compressed(server):
    model = opened(server, dimension=DIMENSION)
    server.script = [compressed]
    assert list(model.embed(["abc"])[0]) == vector_of("abc")
    assert "gzip" in server.requests[0][1]["Accept-Encoding"]


def test_dimensions_prefixes_and_length(server):
    model = opened(
        server, dimension=DIMENSION, send_dimension=True, query_prefix="query: ", document_prefix="passage: ",
        max_text_bytes=9,
    )
    model.embed(["12345678é"], "query")
    model.embed(["short"])
    (_, _, first), (_, _, second) = server.requests
    assert first["dimensions"] == DIMENSION
    assert first["input"] == ["query: 12345678"]
    assert second["input"] == ["passage: short"]


def test_the_space_is_model_address_and_options(server):
    def space(**options):
        return opened(server, **{"dimension": DIMENSION, **options}).space_id

    assert space() == space(concurrency=9)
    assert len({space(), space(query_prefix="q"), space(max_text_bytes=9), space(dimension=9)}) == 4
    assert space() != actionhist.open_model(server.url(model="#other"), dimension=DIMENSION).space_id


@pytest.mark.parametrize("path, expected", [
    ("", "/v1/embeddings"), ("/", "/v1/embeddings"), ("/v1/", "/v1/embeddings"), ("/api/embeddings", "/api/embeddings"),
])
def test_the_path_may_be_left_out(server, path, expected):
    actionhist.open_model(server.url(path=path))
    assert server.requests[0][0] == expected


def test_the_key_goes_into_the_header_and_nowhere_else(server, monkeypatch):
    monkeypatch.setenv("ACTIONHIST_EMBEDDER_API_KEY", KEY)
    model = opened(server)
    assert server.requests[0][1]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in model.space_id + repr(model)
    server.script = [status(401, "invalid_api_key")]
    with pytest.raises(actionhist.Denied, match="401") as caught:
        model.embed(["secret text"])
    assert KEY not in str(caught.value) and "secret text" not in str(caught.value)
    server.script = [status(403, KEY)]
    with pytest.raises(actionhist.Denied, match="status 403") as caught:
        model.embed(["secret text"])
    assert KEY not in str(caught.value)
    monkeypatch.setenv("OTHER", "with\nline")
    with pytest.raises(actionhist.InvalidArgument, match="OTHER") as caught:
        opened(server, api_key_env="OTHER")
    assert "with" not in str(caught.value).replace("white", "")


def test_azure(server, monkeypatch):
    monkeypatch.setenv("AZURE", KEY)
    url = f"http://127.0.0.1:{server.port}/openai/deployments/d1/embeddings?api-version=2024-02-01"
    actionhist.open_model(url, api_key_env="AZURE").embed(["a"])
    path, headers, body = server.requests[-1]
    assert path == "/openai/deployments/d1/embeddings?api-version=2024-02-01"
    assert headers["api-key"] == KEY and "Authorization" not in headers
    assert "model" not in body


@pytest.mark.parametrize("act, message", [
    (vectors(lambda d: d[:-1]), "1 vectors for 2 texts"),
    (vectors(lambda d: d + d), "4 vectors for 2 texts"),
    (vectors(lambda d: [d[0], {**d[1], "index": 0}]), "index 0 twice"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": d[1]["embedding"][:-1]}]), "different sizes"),
    (vectors(lambda d: [{**x, "embedding": x["embedding"][:-1]} for x in d]), "of 7 numbers, not 8"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": [math.nan] * DIMENSION}]), "no JSON"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": [1e39] * DIMENSION}]), "not finite"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": [None] * DIMENSION}]), "no number"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": [0] * DIMENSION}]), "zeros"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": "AAA"}]), "base64"),
    (vectors(lambda d: [d[0], {**d[1], "embedding": base64.b64encode(struct.pack("<8f", *[math.nan] * 8)).decode()}]),
     "not finite"),
    (vectors(lambda d: [d[0], {"index": 1}]), 'without "embedding"'),
    (vectors(lambda d: {}), 'no list "data"'),
    (raw(b"<html>"), "no JSON"),
    (raw(b""), "no JSON"),
    (cut_off, "no answer"),
    (hang_up, "no answer"),
    (not_compressed, "no answer"),
    (far_too_long, "longer than 256 MB"),
    (status(500), r"status 500 \(oops\)"),
    (status(429, "rate_limit_exceeded"), r"429 \(rate_limit_exceeded\)"),
    (status(429, "insufficient_quota"), "insufficient_quota"),
])
def test_a_bad_answer_is_told_and_the_next_is_taken(server, act, message):
    model = opened(server, dimension=DIMENSION)
    server.script = [act]
    with pytest.raises(actionhist.Unavailable, match=message) as caught:
        model.embed(["secret text", "b"])
    assert "secret" not in str(caught.value)
    assert f"127.0.0.1:{server.port}/v1/embeddings" in str(caught.value)
    assert list(model.embed(["abc"])[0]) == vector_of("abc")


@pytest.mark.parametrize("act, error", [
    (status(400), actionhist.InvalidArgument), (status(413), actionhist.InvalidArgument),
    (status(422), actionhist.InvalidArgument), (status(403), actionhist.Denied), (status(404), actionhist.NotFound),
    (status(302, Location="http://127.0.0.1:1/"), actionhist.Unsupported),
    (lambda h, b: h.answer(500, {"error": {"message": "input is too large to process"}}), actionhist.InvalidArgument),
])
def test_what_would_not_help_is_not_tried_again(server, act, error):
    model = opened(server, dimension=DIMENSION, max_retries=5)
    server.script = [act]
    with pytest.raises(error):
        model.embed(["a"])
    assert len(server.requests) == 1


@pytest.mark.parametrize("act", [
    status(429, retry_after_ms="1"), status(503, retry_after="0.001"), status(408, retry_after_ms="2"),
    status(409, retry_after_ms="1"), hang_up,
])
def test_what_may_pass_is_tried_again(server, act):
    model = opened(server, dimension=DIMENSION, max_retries=2)
    server.script = [act, act]
    assert list(model.embed(["abc"])[0]) == vector_of("abc")
    assert len(server.requests) >= 3


def test_a_query_is_not_tried_again(server):
    model = opened(server, dimension=DIMENSION, max_retries=5)
    server.script = [status(503, retry_after_ms="1")]
    with pytest.raises(actionhist.Unavailable):
        model.embed(["a"], "query")
    assert len(server.requests) == 1


def test_a_long_wish_is_respected_without_waiting_for_it(server):
    model = opened(server, dimension=DIMENSION, max_retries=5)
    server.script = [status(429, retry_after="100")]
    with pytest.raises(actionhist.Unavailable, match="429"):
        model.embed(["a"])
    with pytest.raises(actionhist.Unavailable, match="no request for another"):
        model.embed(["a"])
    assert len(server.requests) == 1


def test_a_slow_server_is_left(server):
    release = threading.Event()
    model = opened(server, dimension=DIMENSION, timeout_ms=100)
    server.script = [lambda handler, body: release.wait(60)]
    with pytest.raises(actionhist.Unavailable, match="(?i)timeout"):
        model.embed(["a"])
    release.set()


def test_nobody_is_there():
    with pytest.raises(actionhist.Unavailable, match="127.0.0.1:1/v1/embeddings"):
        actionhist.open_model("http://127.0.0.1:1/v1#m", max_retries=0)


def test_addresses_that_cannot_be(server):
    for uri, message in [("http://127.0.0.1/v1", "no model"), ("http://", "no http address"),
                         (f"http://user:pass@127.0.0.1:{server.port}/v1#m", "password")]:
        with pytest.raises(actionhist.InvalidArgument, match=message) as caught:
            actionhist.open_model(uri)
        assert "pass@" not in str(caught.value)
    for name, value in [("max_batch", 0), ("concurrency", 65), ("timeout_ms", 0), ("dimension", -1)]:
        with pytest.raises(actionhist.InvalidArgument, match=name):
            opened(server, **{name: value})
    assert not server.requests


def test_certificates_are_verified(tls_server, tmp_path):
    server = tls_server(well)
    options = {"max_retries": 0, "dimension": DIMENSION}
    trusted = {**options, "ca_file": str(tmp_path / "cert.pem")}
    at_name = server.url("https", host="localhost")
    with pytest.raises(actionhist.Unavailable, match="(?i)certificate"):
        actionhist.open_model(at_name, **options).embed(["a"])
    with pytest.raises(actionhist.Unavailable, match="(?i)certificate"):
        actionhist.open_model(server.url("https"), **trusted).embed(["a"])
    assert not server.requests
    assert list(actionhist.open_model(at_name, **trusted).embed(["abc"])[0]) == vector_of("abc")


def until(condition):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("did not come")


def test_the_queue_keeps_its_rows_until_the_server_is_back(server, restart, clock):
    model = opened(server)
    server.script = [status(500)] * 1_000_000
    with actionhist.open("memory:", clock=clock, model=model) as h:
        h.record(restart("a-1"))
        until(lambda: "500" in (h.health().get("index_error") or ""))
        # Words are searched meanwhile, and the answer says so.
        until(lambda: ["status 500" in hit.explain["fallback"] for hit in h.similar("the pod crashes")] == [True])
        assert h.health()["feed"]["queued"] == 1
        assert h.health()["feed"]["failed"] == 0
        server.script = []
        assert h.wait_indexed(60)
        (hit,) = h.similar("the pod crashes")
        assert not hit.explain["fallback"] and hit.explain["similarity"] > 0


def test_a_text_that_the_server_never_takes_does_not_hold_up_the_others(server, restart, clock):
    model = opened(server, dimension=DIMENSION)

    class Picky(list):
        def __bool__(self):
            return True

        def pop(self, at):
            return lambda handler, body: (
                status(400, "too_long") if any("poison" in t for t in body["input"]) else well
            )(handler, body)

    server.script = Picky()
    with actionhist.open("memory:", clock=clock, model=model) as h:
        h.record(restart("a-1", model_reasoning="poison"))
        h.record(restart("a-2"))
        until(lambda: any(hit.trace.action_id == "a-2" and hit.explain["similarity"] > 0
                          for hit in h.similar("pod crashes start")))
