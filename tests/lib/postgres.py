"""A PostgreSQL 15 server of one's own for tests: a cluster in a temporary folder, a Unix socket only, without fsync, gone at the end.

    python3 tests/lib/postgres.py run COMMAND...     runs the command with HW_TEST_DB=postgresql://... in its environment
"""
import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PORT = 54329


def programs():
    """the folder of initdb and pg_ctl, or None"""
    for version in ("15", "16", "17", "18"):
        at = f"/usr/lib/postgresql/{version}/bin"
        if os.access(f"{at}/initdb", os.X_OK):
            return at
    return None


class Cluster:
    def __init__(self, settings=()):
        self.bin = programs()
        assert self.bin, "PostgreSQL 15 is not installed"
        self.dir = tempfile.mkdtemp(prefix="hw-pg.", dir="/tmp")
        self.data = os.path.join(self.dir, "data")
        self.url = f"postgresql://huawu@{self.dir.replace('/', '%2F')}:{PORT}/huawu"
        self.user = None
        if os.geteuid() == 0: # initdb refuses to be root
            self.user = pwd.getpwnam("postgres")
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        self.settings = ["fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=200", "listen_addresses=''",
                         f"unix_socket_directories='{self.dir}'", f"port={PORT}", "log_min_messages=warning", "autovacuum_naptime=10s",
                         "max_locks_per_transaction=256", *settings]
        atexit.register(self.close)
        self.run("initdb", "-D", self.data, "-U", "huawu", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync", "--no-instructions")
        with open(f"{self.data}/postgresql.conf", "a") as f:
            f.write("\n".join(self.settings) + "\n")
        self.start()
        self.run("createdb", "-h", self.dir, "-p", str(PORT), "-U", "huawu", "huawu")

    def as_user(self):
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def run(self, program, *args, check=True):
        out = subprocess.run([f"{self.bin}/{program}", *args], cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True, **self.as_user())
        assert not check or out.returncode == 0, f"{program}: {out.stdout}{out.stderr}"
        return out

    def start(self):
        # -l: the server must not inherit our output, or whoever reads it waits for the server's end
        self.run("pg_ctl", "-D", self.data, "-l", f"{self.dir}/log", "-w", "-t", "60", "start")

    def stop(self, how="fast"):
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", how, "stop", check=False)

    def pid(self):
        with open(f"{self.data}/postmaster.pid") as f:
            return int(f.readline())

    def kill(self):
        """the machine's power goes, as far as the server knows"""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        for _ in range(200): # its children notice
            if not subprocess.run(["pgrep", "-P", str(pid)], capture_output=True).stdout and not os.path.exists(f"/proc/{pid}"):
                break
            time.sleep(0.05)

    def log(self):
        with open(f"{self.dir}/log", errors="replace") as f:
            return f.read()

    def close(self):
        if os.path.isdir(self.dir):
            self.stop("immediate")
            shutil.rmtree(self.dir, ignore_errors=True)


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "run":
        print(__doc__)
        return 2
    cluster = Cluster()
    return subprocess.run(sys.argv[2:], env=dict(os.environ, HW_TEST_DB=cluster.url)).returncode


if __name__ == "__main__":
    sys.exit(main())
