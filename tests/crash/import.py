#!/usr/bin/env python3
"""Imports that end in the middle, by SIGKILL and by a stop: what came in is counted exactly, and the same file finishes it. And a workbook
as openpyxl writes it, with what Excel does to long numbers.
"""
import os
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from centre import Centre, Refused, run_tests, wait_for  # noqa: E402

PASSWORD = "nur-ein-test-7"
BOSS = ("users", "boss", {"name": "管理员(示例)", "login": "boss", "role": "admin", "password": PASSWORD, "must_change_password": False})
ROWS = 20000
TEAMS = ("名称\n" + "".join(f"示例组 {i}\n" for i in range(ROWS))).encode()


def log_in(centre):
    def there():
        try:
            return centre.api("boss", PASSWORD)
        except (OSError, Refused):
            return None
    return wait_for("the API", there, 20)


def upload(api, resource, name, data):
    id = api.post("/sheets", {"resource": resource, "name": name})["id"]
    for at in range(0, len(data), 100000):
        req = urllib.request.Request(f"{api.base}/api/v1/sheets/{id}/data?offset={at}", data[at:at + 100000], method="POST",
                                     headers={"Cookie": api.cookie, "X-Huawu-CSRF": api.csrf})
        urllib.request.urlopen(req, timeout=15).read()
    return id


def settled(api, id):
    def done():
        j = api.get(f"/sheets/{id}")
        return j["state"] not in ("checking", "running") and j
    return wait_for("the import", done, 60)


def check(api, id, **wish):
    api.post(f"/sheets/{id}/check", wish)
    return settled(api, id)


def whole(api):
    id = upload(api, "teams", "teams.csv", TEAMS)
    check(api, id)
    api.post(f"/sheets/{id}/commit")
    return settled(api, id)


def begin(api):
    """an import that is under way"""
    id = upload(api, "teams", "teams.csv", TEAMS)
    assert check(api, id)["added"] == ROWS
    api.post(f"/sheets/{id}/commit")
    wait_for("some rows", lambda: api.get(f"/sheets/{id}")["added"] > 500, 20, 0.002)


def counted(centre, api):
    def there():
        rows = api.get("/imports")["items"]
        return rows[0] if rows[0]["state"] != "running" else None
    told = wait_for("its end", there)
    n = api.get("/teams", limit=1)["total"]
    assert told["state"] == "interrupted", told
    assert 0 < told["added"] < ROWS, told
    assert told["added"] == n and told["last_row"] == n + 1, (told, n)
    rest = whole(api)
    assert (rest["state"], rest["added"], rest["unchanged"]) == ("done", ROWS - n, n), rest


def a_killed_import_is_counted_to_the_row_and_finished_by_the_same_file():
    with Centre(34_800) as centre:
        centre.seed(BOSS)
        centre.start()
        begin(log_in(centre))
        centre.process.kill()
        centre.process.wait()
        centre.log.close()
        time.sleep(0.2)
        centre.start()
        counted(centre, log_in(centre))


def a_stopping_server_ends_an_import_after_the_piece_at_hand():
    with Centre(34_800) as centre:
        centre.seed(BOSS)
        centre.start()
        begin(log_in(centre))
        assert centre.stop() == 0
        centre.start()
        counted(centre, log_in(centre))


def a_workbook_with_a_title_hidden_rows_and_numbers_that_excel_altered():
    try:
        import openpyxl
    except ImportError:
        print("left out: openpyxl is not there")
        return
    with Centre(34_800) as centre:
        centre.seed(BOSS)
        centre.start()
        api = log_in(centre)
        wb = openpyxl.Workbook()
        ws = wb.active
        ws.title = "名单"
        ws.append(["二〇二六年人员名单"])
        ws.merge_cells("A1:D1")
        ws.append(["姓名", "登录名", "分机号", "工号"])
        ws.append(["示例甲", "jia", 9001, "0017"])
        ws.append(["示例乙", "yi", 9.002e3, 110101199001011234])
        ws.append(["示例丙", "bing", "=1/0", None])
        ws.append(["示例丁", "ding", "9004", None])
        ws.row_dimensions[6].hidden = True
        wb.create_sheet("别的").append(["姓名"])
        path = os.path.join(centre.dir, "a.xlsx")
        wb.save(path)
        with open(path, "rb") as f:
            id = upload(api, "users", "a.xlsx", f.read())
        j = check(api, id)
        assert (j["sheet"], j["header_row"], j["hidden"], j["added"], j["bad"]) == ("名单", 2, 1, 3, 1), j
        assert j["refused"][0]["row"] == 4 and "15" in j["refused"][0]["why"], j
        assert [s["name"] for s in j["sheets"]] == ["名单", "别的"], j
        assert check(api, id, skip_hidden=True)["added"] == 2
        api.post(f"/sheets/{id}/commit")
        assert settled(api, id)["added"] == 2
        assert {(u["login"], u["extension"], u["staff_no"]) for u in api.get("/users")["items"]} == {
            ("boss", None, None), ("jia", "9001", "0017"), ("bing", None, None)}


if __name__ == "__main__":
    run_tests([a_killed_import_is_counted_to_the_row_and_finished_by_the_same_file, a_stopping_server_ends_an_import_after_the_piece_at_hand,
               a_workbook_with_a_title_hidden_rows_and_numbers_that_excel_altered])
