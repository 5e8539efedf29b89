"""Webhooks of patterns, against a server that answers well, late, badly or not at all."""

import json
import threading
import time

import pytest
from http_server import Server

import actionhist


def well(handler, body):
    handler.answer(204, b"")


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def server():
    running = Server(well)
    yield running
    running.close()


@pytest.fixture
def history():
    with actionhist.open("memory:", semantic=False) as opened:
        yield opened


def watch(history, server, **webhook):
    """Every second action on one resource is one too many, and told."""
    tell(history, url=f"http://127.0.0.1:{server.port}/hook?key=hidden", **webhook)


def tell(history, **webhook):
    history.put_pattern(
        {
            "pattern_id": "one",
            "pattern_type": "action-budget",
            "min_occurrences": 1,
            "alert_webhook": webhook,
        }
    )


def restart(history, name="web"):
    resource = {"kind": "Deployment", "namespace": "prod", "name": name}
    return history.propose({"action_type": "restart_deployment", "resource_reference": resource})


def repeat(history, name="web"):
    """Asks twice on one resource; the second is refused."""
    assert restart(history, name).allowed
    verdict = restart(history, name)
    assert not verdict.allowed
    return verdict


def stats(history):
    return history.health()["webhooks"]


def test_a_detection_is_posted_once(history, server, monkeypatch):
    monkeypatch.setenv("ACTIONHIST_WEBHOOK_PAGER", "Bearer abc")
    watch(history, server, secret_env="ACTIONHIST_WEBHOOK_PAGER")
    verdict = repeat(history)
    wait_for(lambda: stats(history)["delivered"] == 1)
    path, headers, body = server.requests[0]
    assert path == "/hook?key=hidden"
    assert headers["Authorization"] == "Bearer abc"
    assert headers["Content-Type"] == "application/json"
    assert body["fresh"] is True and body["alert_severity"] == "warning"
    assert body["detection"]["detection_id"] == verdict.detections[0].detection_id
    # What is refused because of the same detection is no news.
    assert not restart(history).allowed
    repeat(history, "other")
    wait_for(lambda: stats(history)["delivered"] == 2)
    assert len({body["detection"]["detection_id"] for _, _, body in server.requests}) == 2
    assert stats(history) == {"waiting": 0, "delivered": 2, "lost": 0}


def test_a_slow_receiver_keeps_nobody_waiting(history, server):
    released = threading.Event()

    def slow(handler, body):
        released.wait(60)
        handler.answer(200, b"")

    server.script += [slow]
    watch(history, server)
    repeat(history, "a")
    repeat(history, "b")
    # Both verdicts are there although the receiver has answered nothing.
    assert stats(history)["delivered"] == 0
    assert stats(history)["waiting"] == 2
    released.set()
    wait_for(lambda: stats(history)["delivered"] == 2)


def test_what_may_pass_later_is_sent_again(history, server):
    def fails(handler, body):
        handler.answer(503, b"", Retry_After="0.01")

    def hangs_up(handler, body):
        handler.close_connection = True

    server.script += [fails, hangs_up]
    watch(history, server)
    repeat(history)
    wait_for(lambda: stats(history)["delivered"] == 1)
    bodies = [body for _, _, body in server.requests]
    assert len(bodies) >= 3 and all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize("status", [301, 404])
def test_what_never_will_pass_is_lost_and_said(server, status):
    said = []
    with actionhist.open("memory:", semantic=False, log=lambda level, text: said.append(text)) as history:

        def refuses(handler, body):
            handler.answer(status, b"", Location=f"http://127.0.0.1:{server.port}/elsewhere")

        server.script += [refuses]
        watch(history, server)
        repeat(history)
        wait_for(lambda: stats(history)["lost"] == 1)
        assert f"status {status}" in stats(history)["error"]
        repeat(history, "next")
        wait_for(lambda: stats(history)["delivered"] == 1)
    assert {path.partition("?")[0] for path, _, _ in server.requests} == {"/hook"}
    assert any(f"status {status}" in text for text in said)
    assert not any("hidden" in text for text in said)


def test_a_secret_that_is_not_set_is_said(history, server):
    watch(history, server, secret_env="ACTIONHIST_WEBHOOK_ABSENT")
    repeat(history)
    wait_for(lambda: stats(history)["lost"] == 1)
    assert "ACTIONHIST_WEBHOOK_ABSENT" in stats(history)["error"]
    assert server.requests == []


def test_a_secret_url_is_told_to_nobody(server, monkeypatch):
    said = []
    with actionhist.open("memory:", semantic=False, log=lambda level, text: said.append(text)) as history:
        monkeypatch.setenv("ACTIONHIST_WEBHOOK_CHAT", f"http://127.0.0.1:{server.port}/services/hidden?x=hidden")
        tell(history, url_env="ACTIONHIST_WEBHOOK_CHAT")
        verdict = repeat(history)
        wait_for(lambda: stats(history)["delivered"] == 1)
        path, _, body = server.requests[0]
        assert path == "/services/hidden?x=hidden"
        assert body["text"].startswith("Refused: action") and "action-budget" in body["text"]
        assert "hidden" not in json.dumps([str(pattern) for pattern in history.patterns()])

        server.script += [lambda handler, body: handler.answer(404, b"")]
        repeat(history, "gone")
        wait_for(lambda: stats(history)["lost"] == 1)
        assert stats(history)["error"] == "the URL in ACTIONHIST_WEBHOOK_CHAT: status 404"
        for url in ["ftp://hidden/", "http://user:hidden@example.com/", "http://", ""]:
            lost = stats(history)["lost"]
            monkeypatch.setenv("ACTIONHIST_WEBHOOK_CHAT", url)
            repeat(history, f"other-{lost}")
            wait_for(lambda: stats(history)["lost"] == lost + 1)
            assert "ACTIONHIST_WEBHOOK_CHAT" in stats(history)["error"]
            assert "hidden" not in stats(history)["error"]
    assert said and not any("hidden" in text for text in said)
    assert verdict.detections


def test_a_receiver_has_to_prove_itself(history, tls_server, tmp_path, monkeypatch):
    server = tls_server(well)
    tell(history, url=f"https://localhost:{server.port}/hook")
    repeat(history)
    wait_for(lambda: "certificate" in stats(history).get("error", "").lower())
    assert server.requests == []
    monkeypatch.setenv("ACTIONHIST_WEBHOOK_CA_FILE", str(tmp_path / "cert.pem"))
    wait_for(lambda: stats(history)["delivered"] == 1)


def test_closing_sends_what_waits(server):
    with actionhist.open("memory:", semantic=False) as history:
        watch(history, server)
        repeat(history)
    assert server.requests


def test_closing_does_not_wait_for_a_receiver_that_is_gone(server):
    said = []
    with actionhist.open("memory:", semantic=False, log=lambda level, text: said.append(text)) as history:
        watch(history, server)
        server.close()
        repeat(history)
    assert any("lost" in text for text in said)


@pytest.mark.parametrize(
    "webhook, field",
    [
        ({"url": "ftp://example.com/x"}, "alert_webhook.url"),
        ({"url": "http://"}, "alert_webhook.url"),
        ({"url": "https://user:word@example.com/"}, "alert_webhook.url"),
        ({}, "alert_webhook.url"),
        ({"url": "https://example.com/", "header": "A: b\r\nC"}, "alert_webhook.header"),
        ({"url": "https://example.com/", "secret_env": "AWS_SECRET_ACCESS_KEY"}, "alert_webhook.secret_env"),
        ({"url_env": "AWS_SECRET_ACCESS_KEY"}, "alert_webhook.url_env"),
        ({"url": "https://example.com/", "url_env": "ACTIONHIST_WEBHOOK_X"}, "alert_webhook.url"),
        ({"url": "https://example.com/", "retries": 3}, "retries"),
        ("https://example.com/", "alert_webhook"),
    ],
)
def test_a_senseless_webhook_is_refused(history, webhook, field):
    with pytest.raises(actionhist.InvalidArgument, match=field):
        history.put_pattern({"pattern_id": "p", "pattern_type": "action-budget", "alert_webhook": webhook})
