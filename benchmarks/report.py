"""The table that a benchmark written in Python prints, or one JSON object a line."""

import json


class Report:
    def __init__(self, bench, as_json):
        self.bench = bench
        self.as_json = as_json
        if not as_json:
            print(f"{bench}\n  {'case':<40}{'metric':<16}{'value':>10}  {'unit':<8}{'baseline':>10}{'ratio':>8}")

    def add(self, case, metric, value, unit, baseline=None, ratio=None):
        """`ratio` says how many times better than the baseline the value is."""
        if self.as_json:
            row = {"bench": self.bench, "case": case, "metric": metric, "value": value, "unit": unit}
            print(json.dumps({**row, "baseline": baseline, "ratio": ratio}), flush=True)
            return
        shown = "" if baseline is None else f"{baseline:.4g}"
        times = "" if ratio is None else f"{ratio:.2f}x"
        print(f"  {case:<40}{metric:<16}{value:>10.4g}  {unit:<8}{shown:>10}{times:>8}", flush=True)
