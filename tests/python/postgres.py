"""A PostgreSQL server of the tests' own: its files and its socket lie in a folder that goes away with it."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


@contextlib.contextmanager
def server(fsync="off"):
    """The URI of an empty database, as long as the block lasts."""
    # The server refuses to run as root.
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="actionhist-") as folder:
        if owner:
            shutil.chown(folder, "postgres", "postgres")

        def run(program, *arguments):
            done = subprocess.run(
                [PROGRAMS / program, *arguments], cwd=folder, capture_output=True, text=True, **owner
            )
            assert done.returncode == 0, done.stdout + done.stderr

        data = f"{folder}/data"
        run("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
            "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", f"fsync={fsync}",
                    "dynamic_shared_memory_type=mmap"]
        command = [PROGRAMS / "postgres", "-D", data, *(word for s in settings for word in ("-c", s))]
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **owner)
        try:
            wait_until(lambda: process.poll() is not None or ready(folder))
            assert process.poll() is None, pathlib.Path(folder, "log").read_text()
            run("psql", "-q", "-h", folder, "-U", "postgres", "-c", "CREATE ROLE agent LOGIN",
                "-c", "CREATE DATABASE agent OWNER agent ENCODING 'UTF8'")
            yield f"postgresql://agent@/agent?host={folder}"
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def main():
    """Serves until standard input ends, for tests in other languages."""
    with server() as uri:
        print(uri, flush=True)
        sys.stdin.read()


def ready(folder):
    return subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", folder]).returncode == 0


def wait_until(done, seconds=120):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
