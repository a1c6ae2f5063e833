#!/usr/bin/env python3
"""A change of many rows that SIGKILL ends in the middle goes on at the next start, each row once; so does its undo."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from centre import BOSS, Centre, run_tests, wait_for  # noqa: E402

ROWS = 5000
TEAMS = ("名称\n" + "".join(f"示例组 {i}\n" for i in range(ROWS))).encode()


def fill(api):
    id = api.upload("teams", "teams.csv", TEAMS)
    for what in ("check", "commit"):
        api.post(f"/sheets/{id}/{what}", {})
        api.settled(id)


def ended(api):
    """the newest change of mine, when it is over"""
    def over():
        j = api.get("/bulk")["items"][0]
        return j["state"] not in ("running", "undoing") and j
    return wait_for("the end", over, 120)


def noted(api):
    return api.get("/teams", limit=1, count="exact", note="很多行")["total"]


def a_killed_change_goes_on_and_so_does_its_undo():
    with Centre(20_500) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
        fill(api)
        n = api.get("/teams", limit=1, count="exact")["total"]
        id = api.post("/teams/bulk", {"filters": {}, "count": n, "patch": {"note": "很多行"}})["id"]
        wait_for("some rows", lambda: api.get(f"/bulk/{id}")["done"] > 200, 30, 0.002)
        api = centre.killed()
        j = ended(api)
        assert (j["id"], j["state"], j["continued"], j["done"], j["changed"], j["bad"]) == (id, "done", True, n, n, 0), j
        assert noted(api) == n
        lines = api.get("/audit", resource="teams", action="update", limit=1, count="exact").get("total")
        assert lines in (None, n), lines
        api.post(f"/bulk/{id}/undo", {})
        wait_for("some rows put back", lambda: api.get(f"/bulk/{id}")["undone"] > 200, 30, 0.002)
        api = centre.killed()
        j = ended(api)
        assert (j["state"], j["undone"], j["undo_bad"]) == ("undone", n, 0), j
        assert noted(api) == 0
        assert centre.stop() == 0


if __name__ == "__main__":
    run_tests([a_killed_change_goes_on_and_so_does_its_undo])
