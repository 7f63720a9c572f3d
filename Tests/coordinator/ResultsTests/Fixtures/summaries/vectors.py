#!/usr/bin/env python3
"""What numpy and scipy give for the numbers of SummaryVectorTests: python3 vectors.py >vectors.json

Made once, with numpy 2 and scipy 1.17 (which weigh 300 MB, too much for every machine that runs the tests). Resamples are
drawn by the rule that the manual gives, in a few lines of Python; all the rest is theirs.
"""
import json
import sys

import numpy as np
from scipy import stats

MASK = (1 << 64) - 1
RESAMPLES = 2000


def draws(count, seed=0):
    """By SplitMix64: the places of the units of each resample."""
    found = np.empty((RESAMPLES, count), dtype=int)
    for place in range(RESAMPLES * count):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        bits = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
        found.flat[place] = ((bits ^ (bits >> 31)) * count) >> 64
    return found


def interval(values, confidence):
    share = (1 - confidence) / 2
    return [float(np.quantile(values, share)), float(np.quantile(values, 1 - share))]


def error(value, *columns):
    """The standard error by the jackknife: what the value is without each unit."""
    count = len(columns[0])
    without = [value(*(np.delete(column, place) for column in columns)) for place in range(count)]
    return float(np.sqrt((count - 1) / count * np.sum((without - np.mean(without)) ** 2)))


def wider(interval, center, reach):
    return [min(interval[0], center - reach), max(interval[1], center + reach)]


def few(drawn, confidence, value, *columns):
    """The bootstrap's interval; below 20 values the wider of it and Student's t."""
    count = len(columns[0])
    found = interval(drawn, confidence)
    if count >= 20:
        return found
    return wider(found, float(value(*columns)), stats.t.ppf((1 + confidence) / 2, count - 1) * error(value, *columns))


def rate(first, second):
    return first.sum() / second.sum()


def welch(own, base):
    """The logarithm of the ratio of two means: its error, and the degrees of freedom, rounded down."""
    a, b = (error(lambda values: np.log(values.mean()), side) ** 2 for side in (own, base))
    degrees = (a + b) ** 2 / (a ** 2 / (len(own) - 1) + b ** 2 / (len(base) - 1))
    return np.sqrt(a + b), int(degrees)


def ratio_interval(drawn, ratio, width, degrees):
    logarithms = wider(np.log(interval(drawn, 0.95)), np.log(ratio), stats.t.ppf(0.975, degrees) * width)
    return np.exp(logarithms).tolist()


def spread(values):
    return {"n": len(values), "standardDeviation": float(np.std(values, ddof=1)), "minimum": float(min(values)),
            "median": float(np.median(values)), "maximum": float(max(values))}


random = np.random.default_rng(20261127)
runs = []
for count in (2, 3, 5, 12, 40):
    cycles = random.integers(1_000_000, 3_000_000, count)
    instructions = random.integers(500_000, 2_000_000, count)
    latency = np.round(random.gamma(2.0, 3.0, count), 3)
    drawn = draws(count)
    for confidence in (0.95, 0.99):
        ratio = cycles[drawn].sum(axis=1) / instructions[drawn].sum(axis=1)
        runs.append({
            "cycles": cycles.tolist(), "instructions": instructions.tolist(), "latency": latency.tolist(),
            "confidence": confidence,
            "cpi": {"mean": float(cycles.sum() / instructions.sum()), **spread(cycles / instructions),
                    "interval": few(ratio, confidence, rate, cycles, instructions)},
            "expected": {"mean": float(latency.mean()), **spread(latency),
                         "interval": few(latency[drawn].mean(axis=1), confidence, np.mean, latency)}})
        # The rule's draws are as good as scipy's own: within a tenth of the interval, with its many more resamples.
        if count >= 12:
            theirs = stats.bootstrap((latency,), np.mean, method="percentile", confidence_level=confidence,
                                     n_resamples=20000, rng=1).confidence_interval
            low, high = interval(latency[drawn].mean(axis=1), confidence)
            assert abs(theirs.low - low) < 0.1 * (high - low) and abs(theirs.high - high) < 0.1 * (high - low)

geometric = []
for count in (2, 4, 9):
    own, base = np.round(random.gamma(5, 1, count), 4), np.round(random.gamma(5, 1, count), 4)
    ratios = own / base
    width = np.std(np.log(ratios), ddof=1) / np.sqrt(count)
    geometric.append({"own": own.tolist(), "base": base.tolist(), "ratio": float(stats.gmean(ratios)),
                      "interval": ratio_interval(stats.gmean(ratios[draws(count)], axis=1), stats.gmean(ratios), width,
                                                 count - 1)})

own, base = random.integers(100, 200, 8), random.integers(100, 200, 8)
drawn, others = draws(8), draws(5, 1)
together = error(lambda first, second: np.log(first.mean() / second.mean()), own, base)
apart = welch(own, base[:5])
paired = [
    {"own": own.tolist(), "base": base.tolist(), "ratio": float(own.sum() / base.sum()),
     "interval": ratio_interval(own[drawn].mean(axis=1) / base[drawn].mean(axis=1), own.sum() / base.sum(), together,
                                7)},
    {"own": own.tolist(), "base": base[:5].tolist(), "ratio": float(own.mean() / base[:5].mean()),
     "interval": ratio_interval(own[drawn].mean(axis=1) / base[:5][others].mean(axis=1), own.mean() / base[:5].mean(),
                                *apart)}]

student = [{"degrees": d, "probability": p, "bound": float(stats.t.ppf((1 + p) / 2, d))}
           for d in (1, 2, 3, 4, 5, 10, 29, 30, 200) for p in (0.9, 0.95, 0.99)]
trends = []
for count in (4, 6, 11, 40, 60):
    values = np.round(random.normal(0, 1, count) + np.arange(count) * 3 / count, 6)
    score = int(sum(np.sign(values[j] - values[i]) for i in range(count) for j in range(i + 1, count)))
    exact = float(stats.kendalltau(np.arange(count), values, method="exact").pvalue)
    deviation = np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    normal = float(2 * stats.norm.sf((abs(score) - 1) / deviation))
    trends.append({"count": count, "score": score, "probability": exact if count <= 40 else normal})

json.dump({"runs": runs, "geometric": geometric, "paired": paired, "student": student, "trends": trends}, sys.stdout,
          indent=1)
print()
