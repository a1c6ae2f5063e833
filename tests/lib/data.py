"""Where a test's data live: a file in its folder, or with HW_TEST_DB=postgresql://... a schema of its own there."""
import json
import os
import sqlite3
import subprocess

SERVER = os.environ.get("HW_TEST_DB", "")
_made = 0


class Data:
    def __init__(self, folder, server=SERVER):
        """@folder: of the server's data; @server: a PostgreSQL URL, or "" for SQLite"""
        global _made
        self.server, self.schema = server, None
        self.url = os.path.join(folder, "huawu.db")
        if server:
            _made += 1
            self.schema = f"s{os.getpid()}_{_made}"
            self.url = f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{self.schema}"
            self.execute(f"CREATE SCHEMA {self.schema}", server)

    def options(self):
        """of huawu serve"""
        return ["--db", self.url] if self.server else []

    def psql(self, sql, url=None):
        out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url or self.url], input=sql, capture_output=True, text=True)
        if out.returncode:
            raise RuntimeError(out.stderr.strip())
        return out.stdout

    def rows(self, sql, *args):
        """as dicts; parameters are ?"""
        if not self.server:
            db = sqlite3.connect(f"file:{self.url}?mode=ro", uri=True)
            try:
                db.row_factory = sqlite3.Row
                return [dict(r) for r in db.execute(sql, args)]
            finally:
                db.close()
        for a in args:
            sql = sql.replace("?", str(a) if isinstance(a, int) else "'" + a.replace("'", "''") + "'", 1)
        return json.loads(self.psql(f"SELECT coalesce(json_agg(x), '[]') FROM ({sql}) AS x") or "[]")

    def row(self, sql, *args):
        return tuple(self.rows(sql, *args)[0].values())

    def execute(self, sql, url=None):
        if self.server:
            self.psql(sql, url)
            return
        with sqlite3.connect(f"file:{self.url}?mode=rw", uri=True) as db:
            db.execute(sql)

    def drop(self):
        if self.schema:
            self.execute(f"SET client_min_messages = warning; DROP SCHEMA {self.schema} CASCADE", self.server)
