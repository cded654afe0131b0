"""Of a page of docs/: its commands, and checks for what it says that they print.

page.py PAGE commands | checks
"""
import re
import sys

page, wanted = sys.argv[1:]
blocks = re.findall(r"^```(\w*)\n(.*?)^```$", open(page).read(), re.S | re.M)
if wanted == "commands":
    print("".join(text for kind, text in blocks if kind == "sh"))
for text in (text for kind, text in blocks if kind == "" and wanted == "checks"):
    check = "CHECK"
    for line in text.splitlines():
        if line.strip() == ".":  # some lines are left out
            check = "CHECK"
            continue
        line = line.removesuffix(" ...").replace("[[", r"{{\[\[}}")
        line = re.sub(r"%\w+", r"%{{[[:alnum:]_]+}}", line)  # names of values and registers
        print(f"{check}: {re.sub(r'[0-9.]+ ms', '{{[0-9.]+}} ms', line)}")
        check = "CHECK-NEXT"
