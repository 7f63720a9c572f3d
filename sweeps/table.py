#!/usr/bin/env python3
"""The table of `usweep results` in pandas, made from single invocations: a start for a notebook.

    python3 sweeps/table.py artifacts/quickstart-7f3a2b1c [TABLE.csv]

A run's counters are means over its invocations, and misses per 1,000 instructions come from these means: a long
invocation weighs more than a short one. Needs pandas (apt-get install python3-pandas).
"""
import sys

import pandas

folder = sys.argv[1]
# The text of the sweep file stays as it is: 010 is not 10.
words = {"point": str, "workload": str, "class": str}
header = list(pandas.read_csv(f"{folder}/invocations.csv", nrows=0).columns)
axes = header[header.index("workload") + 1:header.index("repeat")]
metrics = header[header.index("invocation") + 1:]
words.update(dict.fromkeys(axes, str))

invocations = pandas.read_csv(f"{folder}/invocations.csv", dtype=words)
table = invocations.groupby(["point", "repeat"])[metrics].mean()
for name in metrics:
    misses = name.removesuffix(".mpki") + ".misses"
    if name.endswith(".mpki") and misses in table and "instructions" in table:
        table[name] = 1000 * table[misses] / table["instructions"]

# Runs without a result have a row, too, in the order of the sweep file.
runs = pandas.read_csv(f"{folder}/runs.csv", dtype=words, usecols=["point", "workload", *axes, "repeat", "outcome", "class"])
table = runs.merge(table, how="left", on=["point", "repeat"])[
    ["point", "workload", *axes, "repeat", "outcome", "class", *metrics]]

if len(sys.argv) > 2:
    table.to_csv(sys.argv[2], index=False)
else:
    print(table.drop(columns="point").to_string(index=False))
