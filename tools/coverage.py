#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gcov's JSON, one document a line, as a table: coverage.py [-v] <documents

A row is one file of libwire with all that it includes; -v lists the lines with branches that
were never taken.  Copies of an inline function are one: a branch counts as taken if it is in any.
"""
import collections
import json
import os
import sys


def branches_of(document):
    """{(file, line, nth branch): taken}, over every copy of a line."""
    taken = collections.Counter()
    for source in document["files"]:
        if source["file"].startswith("/usr"):
            continue
        for line in source["lines"]:
            for nth, branch in enumerate(line["branches"]):
                taken[os.path.relpath(source["file"]), line["line_number"], line.get("function_name"), nth] += branch["count"]
    return taken


def lines_of(document):
    counts = collections.Counter()
    for source in document["files"]:
        for line in source["lines"]:
            counts[source["file"], line["line_number"]] += line["count"]
    return counts


def share(counts):
    return "%4d of %4d %6.2f %%" % (sum(n > 0 for n in counts), len(counts), 100 * sum(n > 0 for n in counts) / max(1, len(counts)))


def main(verbose):
    print("%-12s %26s %26s" % ("file", "lines", "branches"))
    for text in sys.stdin:
        document = json.loads(text)
        lines, branches = lines_of(document), branches_of(document)
        name = os.path.basename(document["data_file"]).replace(".gcda", ".c")
        print("%-12s %26s %26s" % (name, share(lines.values()), share(branches.values())))
        for (path, number, function, nth), count in sorted(branches.items(), key=str):
            if verbose and count == 0:
                print("    %s:%d %s branch %d" % (path, number, function, nth))


if __name__ == "__main__":
    main("-v" in sys.argv[1:])
