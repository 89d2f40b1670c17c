#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages have every function of wire.h and wire_value.h with its prototype and every status, and are well-formed.
set -eu
python3 - <<'PY'
import glob, os, re

header = "".join(re.sub(r"/\*.*?\*/", "", open("libwire/" + h).read(), flags=re.S) for h in ("wire.h", "wire_value.h"))
pages = {os.path.basename(f): open(f).read() for f in glob.glob("docs/man/*.[37]")}


def plain(text):
    return re.sub(r"\s+", " ", text).strip().replace("* ", "*").replace(" *", "*")


declared = {}
for line in re.findall(r"^WIRE_API ([^;]+\));", header, flags=re.M):
    declared[re.search(r"(\w+)\(", line)[1]] = plain(line)
assert len(declared) > 70

written = {}
for name, page in pages.items():
    synopsis = page[page.index(".Sh NAME"):page.index(".Sh DESCRIPTION")]
    names = set(re.findall(r"^\.Nm (\w+)", synopsis, flags=re.M))
    for ret, fn, args in re.findall(r'^\.Ft (.+)\n\.Fn (wire_\w+) (.*)$', synopsis, flags=re.M):
        args = ", ".join(re.findall(r'"([^"]+)"', args)) or args
        assert fn not in written, fn + " stands on two pages"
        written[fn] = plain("%s %s(%s)" % (ret.strip('"'), fn, args))
        assert fn in names, "%s: %s is not in NAME" % (name, fn)
    for other, section in re.findall(r"^\.Xr (wire\w*) (\d)", page, flags=re.M):
        assert "%s.%s" % (other, section) in pages, "%s refers to %s(%s)" % (name, other, section)

for fn in sorted(declared.keys() | written.keys()):
    assert declared.get(fn) == written.get(fn), "%s:\n  wire.h:  %s\n  manual:  %s" % (fn, declared.get(fn), written.get(fn))

for status in re.findall(r"^WIRE_STATUS\((\w+)", open("libwire/errors.def").read(), flags=re.M):
    assert "\n.It Dv WIRE_%s\n" % status in pages["wire.7"], "wire(7) lacks " + status
print(len(written), "functions on", len(pages), "pages")
PY

# What only a formatter sees, where there is one.
if command -v groff >/dev/null; then
    for page in docs/man/*; do
        said=$(groff -mandoc -Tutf8 -ww -z "$page" 2>&1)
        [ -z "$said" ] || { echo "$said"; exit 1; }
    done
fi
