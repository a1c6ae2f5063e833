#!/usr/bin/env python3
"""Imports that end in the middle, by SIGKILL and by a stop: what came in is counted exactly, and the same file finishes it. And a workbook
as openpyxl writes it, with what Excel does to long numbers.
"""
import json
import os
import shutil
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from centre import BOSS, Centre, run_tests, wait_for  # noqa: E402

ROWS = 20000
TEAMS = ("名称\n" + "".join(f"示例组 {i}\n" for i in range(ROWS))).encode()


def check(api, id, **wish):
    api.post(f"/sheets/{id}/check", wish)
    return api.settled(id)


def whole(api):
    id = api.upload("teams", "teams.csv", TEAMS)
    check(api, id)
    api.post(f"/sheets/{id}/commit")
    return api.settled(id)


def begin(api):
    """an import that is under way"""
    id = api.upload("teams", "teams.csv", TEAMS)
    assert check(api, id)["added"] == ROWS
    api.post(f"/sheets/{id}/commit")
    wait_for("some rows", lambda: api.get(f"/sheets/{id}")["added"] > 500, 20, 0.002)


def counted(centre, api):
    def there():
        rows = api.get("/imports")["items"]
        return rows[0] if rows[0]["state"] != "running" else None
    told = wait_for("its end", there)
    n = api.get("/teams", limit=1, count="exact")["total"]
    assert told["state"] == "interrupted", told
    assert 0 < told["added"] < ROWS, told
    assert told["added"] == n and told["last_row"] == n + 1, (told, n)
    rest = whole(api)
    assert (rest["state"], rest["added"], rest["unchanged"]) == ("done", ROWS - n, n), rest


def a_killed_import_is_counted_to_the_row_and_finished_by_the_same_file():
    with Centre(7_900) as centre:
        centre.seed(BOSS)
        centre.start()
        begin(centre.boss())
        counted(centre, centre.killed())


def a_stopping_server_ends_an_import_after_the_piece_at_hand():
    with Centre(7_900) as centre:
        centre.seed(BOSS)
        centre.start()
        begin(centre.boss())
        assert centre.stop() == 0
        centre.start()
        counted(centre, centre.boss())


def a_workbook_with_a_title_hidden_rows_and_numbers_that_excel_altered():
    try:
        import openpyxl
    except ImportError:
        print("left out: openpyxl is not there")
        return
    with Centre(7_900) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
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
            id = api.upload("users", "a.xlsx", f.read())
        j = check(api, id)
        assert (j["sheet"], j["header_row"], j["hidden"], j["added"], j["bad"]) == ("名单", 2, 1, 3, 1), j
        assert j["refused"][0]["row"] == 4 and "15" in j["refused"][0]["why"], j
        assert [s["name"] for s in j["sheets"]] == ["名单", "别的"], j
        assert check(api, id, skip_hidden=True)["added"] == 2
        api.post(f"/sheets/{id}/commit")
        assert api.settled(id)["added"] == 2
        assert {(u["login"], u["extension"], u["staff_no"]) for u in api.get("/users")["items"]} == {
            ("boss", None, None), ("jia", "9001", "0017"), ("bing", None, None)}


def undo(api, id):
    api.post(f"/imports/{id}/undo")


def a_killed_undo_goes_on_where_it_was_and_keeps_what_somebody_touched():
    with Centre(7_100) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
        before = api.get("/teams", limit=1, count="exact")["total"]
        assert whole(api)["added"] == ROWS
        import_id = api.get("/imports")["items"][0]["id"]
        one = api.get("/teams", limit=1, q="示例组 17")["items"][0]
        req = urllib.request.Request(f"{api.base}/api/v1/teams/{one['id']}", json.dumps({"note": "有人改过"}).encode(), method="PATCH",
                                     headers={"Cookie": api.cookie, "X-Huawu-CSRF": api.csrf, "If-Match": str(one["rev"]), "Content-Type": "application/json"})
        urllib.request.urlopen(req, timeout=15).read()
        plan = api.get(f"/imports/{import_id}/undo")
        assert (plan["remove"], plan["touched"]) == (ROWS - 1, 1), plan
        undo(api, import_id)
        wait_for("some rows undone", lambda: api.get(f"/imports/{import_id}/undo")["undone"] > 500, 20, 0.002)
        api = centre.killed()
        half = api.get(f"/imports/{import_id}/undo")
        assert half["state"] == "part_undone" and 0 < half["undone"] < ROWS, half
        assert api.get("/teams", limit=1, count="exact")["total"] == before + ROWS - half["undone"], half
        undo(api, import_id)
        end = wait_for("the undo", lambda: (lambda j: not j["running"] and j)(api.get(f"/imports/{import_id}/undo")), 60)
        assert (end["state"], end["undone"], end["kept"]) == ("undone", ROWS - 1, 1), end
        assert end["kept_rows"][0]["name"] == one["name"], end
        assert api.get("/teams", limit=1, count="exact")["total"] == before + 1


def office(centre, name, text, to="xlsx", more=()):
    """@text as LibreOffice makes a workbook of it"""
    path = os.path.join(centre.dir, name)
    with open(path, "wb") as f:
        f.write(text)
    subprocess.run(["soffice", f"-env:UserInstallation=file://{centre.dir}/office", "--headless", *more, "--convert-to", to, "--outdir", os.path.join(centre.dir, "out"),
                    path], check=True, capture_output=True, timeout=120)
    with open(os.path.join(centre.dir, "out", name.rsplit(".", 1)[0] + "." + to.split(":")[0]), "rb") as f:
        return f.read()


HTML = """<html><meta charset="utf-8"><table><tr><td colspan="5">示例客户名单</td></tr>
<tr><td rowspan="2">客户姓名</td><td colspan="2">电话</td><td rowspan="2">出生日期</td><td rowspan="2">地址</td></tr><tr><td>本人</td><td>家人</td></tr>
<tr><td>示例甲</td><td>13800138000</td><td>13900139000</td><td>1990-01-31</td><td>示例路 1 号</td></tr>
<tr></tr><tr><td>示例乙</td><td>13700137000</td><td></td><td>1991/2/3</td><td>示例路 2 号</td></tr></table></html>"""


def a_workbook_of_libreoffice_comes_in_and_our_own_goes_through_it_and_back():
    if not shutil.which("soffice"):
        print("left out: LibreOffice is not there")
        return
    with Centre(7_120) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
        id = api.upload("customers", "a.xlsx", office(centre, "a.html", HTML.encode(), "xlsx:Calc MS Excel 2007 XML", ["--infilter=HTML (StarCalc)"]))
        j = check(api, id)
        assert (j["header_row"], j["columns"], j["added"], j["bad"]) == (3, ["name", "phones", "phones_family", "birthday", "address"], 2, 0), j
        api.post(f"/sheets/{id}/commit")
        assert api.settled(id)["added"] == 2
        rows = {r["name"]: (r["phone"], r["birthday"], r["address"]) for r in api.get("/customers")["items"]}
        assert rows == {"示例甲": ("+8613800138000", "1990-01-31", "示例路 1 号"), "示例乙": ("+8613700137000", "1991-02-03", "示例路 2 号")}, rows
        ours = urllib.request.urlopen(urllib.request.Request(f"{api.base}/api/v1/users/export.xlsx?lang=zh", headers={"Cookie": api.cookie}), timeout=15).read()
        id = api.upload("users", "ours.xlsx", ours)
        assert (lambda j: (j["unchanged"], j["changed"], j["added"], j["bad"]))(check(api, id)) == (1, 0, 0, 0), api.settled(id)
        for form in ("ods", "xlsx"):
            ours = office(centre, f"ours.{'xlsx' if form == 'ods' else 'ods'}", ours, form)
        id = api.upload("users", "again.xlsx", ours)
        j = check(api, id)
        assert (j["unchanged"], j["changed"], j["added"], j["bad"]) == (1, 0, 0, 0), j


def csv_comes_in_any_encoding_and_with_any_separator():
    text = '姓名;手机;备注\n示例甲;13800138000;"两行\n备注"\n'
    forms = {"gb18030": text.encode("gb18030"), "bom": text.encode("utf-8-sig"), "utf16": text.encode("utf-16"), "tab": text.replace(";", "\t").encode(),
             "comma": text.replace(";", ",").replace("\n示", "\r\n示").encode()}
    with Centre(7_140) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
        for name, data in forms.items():
            id = api.upload("customers", f"{name}.csv", data)
            j = check(api, id)
            assert (j["titles"], j["added"], j["bad"], j["samples"][2]) == (["姓名", "手机", "备注"], 1, 0, ["两行\n备注"]), (name, j)


if __name__ == "__main__":
    run_tests([a_killed_undo_goes_on_where_it_was_and_keeps_what_somebody_touched, a_workbook_of_libreoffice_comes_in_and_our_own_goes_through_it_and_back,
               csv_comes_in_any_encoding_and_with_any_separator,
               a_killed_import_is_counted_to_the_row_and_finished_by_the_same_file, a_stopping_server_ends_an_import_after_the_piece_at_hand,
               a_workbook_with_a_title_hidden_rows_and_numbers_that_excel_altered])
