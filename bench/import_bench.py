#!/usr/bin/env python3
"""How fast customers come in from a sheet, come again, and go: 100,000 rows with two telephones each, as XLSX and as CSV. One JSON object a run.

    bench/import_bench.py [--rows N] [--format xlsx|csv] [--again] [--no-undo]      HUAWU names another program than build/huawu
"""
import argparse
import io
import json
import os
import sys
import time
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lib"))
from centre import BOSS, Centre  # noqa: E402

HEAD = ["姓名", "手机", "家人电话", "地址", "公司", "备注"]


def row(i, note="批量导入"):
    return [f"示例客户{i}", f"138{i:08d}", f"139{i:08d}", f"示例市示例路{i % 997}号", f"示例公司{i % 1009}", note]


def csv_file(n, note="批量导入"):
    return ("\ufeff" + "\r\n".join(",".join(r) for r in [HEAD] + [row(i, note) for i in range(n)]) + "\r\n").encode()


def xlsx_file(n):
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rel = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="%s/%s" Target="%s"/></Relationships>'
    text = io.StringIO()
    text.write(f'<?xml version="1.0"?><worksheet {ns}><sheetData>')
    for cells in [HEAD] + [row(i) for i in range(n)]:
        text.write("<row>" + "".join(f'<c t="inlineStr"><is><t>{c}</t></is></c>' for c in cells) + "</row>")
    text.write("</sheetData></worksheet>")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("_rels/.rels", rel % (rels, "officeDocument", "xl/workbook.xml"))
        z.writestr("xl/workbook.xml", f'<?xml version="1.0"?><workbook {ns} xmlns:r="{rels}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", rel % (rels, "worksheet", "worksheets/sheet1.xml"))
        z.writestr("xl/worksheets/sheet1.xml", text.getvalue())
    return out.getvalue()


def memory_kb(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        part = f.read().rsplit(")", 1)[1].split()
    return (int(part[11]) + int(part[12])) / os.sysconf("SC_CLK_TCK")


def timed(pid, fn):
    """seconds by the clock, and of the server's own processor time, which other work on the machine changes less"""
    begun, used = time.monotonic(), cpu_s(pid)
    r = fn()
    return (round(time.monotonic() - begun, 2), round(cpu_s(pid) - used, 2)), r


def step(api, id, what):
    api.post(f"/sheets/{id}/{what}", {})
    return api.settled(id, 3600)


def undo(api):
    id = api.get("/imports")["items"][0]["id"]
    api.post(f"/imports/{id}/undo")
    while True:
        j = api.get(f"/imports/{id}/undo")
        if not j["running"]:
            return j
        time.sleep(0.2)


def again(api, pid, n, note):
    """the same rows once more, unchanged or with another note: seconds of check and commit"""
    id = api.upload("customers", "again.csv", csv_file(n, note))
    (check_s, _), j = timed(pid, lambda: step(api, id, "check"))
    (commit_s, cpu), j = timed(pid, lambda: step(api, id, "commit"))
    assert (j["state"], j["changed"] + j["unchanged"], j["bad"]) == ("done", n, 0), j
    return {"check_s": check_s, "commit_s": commit_s, "commit_cpu_s": cpu, "changed": j["changed"]}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rows", type=int, default=100000)
    args.add_argument("--format", choices=["xlsx", "csv"], default="xlsx")
    args.add_argument("--again", action="store_true")
    args.add_argument("--no-undo", action="store_true")
    a = args.parse_args()
    with Centre(int(os.environ.get("PORT", 7_000))) as centre:
        centre.seed(BOSS)
        centre.start()
        api = centre.boss()
        pid = centre.process.pid
        data = csv_file(a.rows) if a.format == "csv" else xlsx_file(a.rows)
        before = memory_kb(pid, "VmRSS")
        (upload_s, _), id = timed(pid, lambda: api.upload("customers", f"a.{a.format}", data))
        (check_s, check_cpu_s), j = timed(pid, lambda: step(api, id, "check"))
        assert (j["state"], j["added"], j["bad"]) == ("checked", a.rows, 0), j
        (commit_s, commit_cpu_s), j = timed(pid, lambda: step(api, id, "commit"))
        assert (j["state"], j["added"], j["bad"]) == ("done", a.rows, 0), j
        peak = memory_kb(pid, "VmHWM")
        more = {"unchanged_again": again(api, pid, a.rows, "批量导入"), "changed_again": again(api, pid, a.rows, "又一次")} if a.again else {}
        a.no_undo |= a.again
        undo_s = undo_cpu_s = None
        if not a.no_undo:
            (undo_s, undo_cpu_s), j = timed(pid, lambda: undo(api))
            assert (j["state"], j["undone"], j["kept"]) == ("undone", a.rows, 0), j
        print(json.dumps({"bench": "import", "rows": a.rows, "format": a.format, "bytes": len(data), "upload_s": upload_s, "check_s": check_s,
                          "commit_s": commit_s, "undo_s": undo_s, "check_cpu_s": check_cpu_s,
                          "commit_cpu_s": commit_cpu_s, "undo_cpu_s": undo_cpu_s, "rows_per_s": round(a.rows / commit_s), "rss_before_kb": before, "rss_peak_kb": peak, **more}))


if __name__ == "__main__":
    main()
