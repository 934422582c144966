"""Each bench runs, and its numbers can be true. They say nothing of speed: windows are short, keys
few, and the machine may be busy with anything."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["CISTERN_BUILD"])
SHORT = ("--rounds", 1, "--seconds", 0.2, "--tries", 1)


def run(program, *words):
    """Its output, and what it wrote as JSON."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        done = subprocess.run(
            [sys.executable, "-B", ROOT / "bench" / program, "--build", BUILD, "--json", file.name,
             *map(str, words)], text=True, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"{program} ends with {done.returncode}:\n{done.stderr}")
        return done.stdout, json.load(file)


class SideBySide(unittest.TestCase):
    def test_every_work_on_every_server_of_its_own(self):
        text, rows = run("side_by_side", "--keys", 100, "--memory-mib", 12,
                         "--connections", 10, *SHORT)
        works = {}
        for row in rows:
            works.setdefault(row["work"], []).append(row)
        self.assertEqual(len(works), 13)
        for work, of_work in works.items():
            self.assertGreaterEqual(len(of_work), 2, work)
            self.assertEqual(of_work[0]["cpu_ratio"], 1, work)
        for row in rows:
            self.assertGreater(row["operations_per_s"], 0, row)
            self.assertGreater(row["cpu_ns"], 0, row)
            self.assertLess(row["cpu_ns"], 10_000_000, row)
            # Two cores are all there is.
            self.assertLess(row["cpu_ns"] * row["operations_per_s"], 2.5e9, row)
        # A reply of 16 KiB or of 20 values costs more than one of 32 bytes in the same depth.
        cpu = {(row["work"], row["server"]): row["cpu_ns"] for row in rows}
        self.assertGreater(cpu["get-16k-p16", "redis"], cpu["get-p16", "redis"])
        # A GET that crosses two nodes costs more than a hit.
        self.assertGreater(cpu["forward-p16", "cistern-forward"], cpu["forward-p16", "cistern"])
        self.assertIn("| MGET of 20, pipeline 1 | redis", text)

    def test_other_servers_and_other_builds(self):
        redis = "mine=redis-server --port {port} --maxmemory {memory_mib}mb --save ''"
        _, rows = run("side_by_side", "get-p16", "--servers", "redis", "mine", "against",
                      "memcached-meta", "--server", redis, "--against", BUILD, "--keys", 300,
                      *SHORT, "--starts", 2)
        self.assertEqual([row["server"] for row in rows],
                         ["redis", "mine", "against", "memcached-meta"])
        self.assertTrue(all(len(row["cpu_ratio_by_start"]) == 2 for row in rows))


class Plot(unittest.TestCase):
    @staticmethod
    def texts(results):
        """All that stands in the picture of these."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results"
            file.write_text(results)
            picture = pathlib.Path(folder) / "picture.svg"
            subprocess.run([sys.executable, "-B", ROOT / "bench/plot", file, picture], check=True)
            return {element.text for element in ElementTree.parse(picture).iter()}

    def test_draws_a_curve_for_each_server(self):
        results = [{"load": "GET 32 B", "pipeline": depth, "server": server, "cpu_ns": cpu / depth}
                   for depth in (1, 16, 64) for server, cpu in (("redis", 8000), ("cistern", 7000))]
        self.assertLessEqual({"GET 32 B", "redis", "cistern"}, self.texts(json.dumps(results)))

    def test_draws_a_curve_for_each_policy(self):
        rows = [f"a_{trace}.lis\t{size}\t{policy}\t0.5" for trace in ("one", "two")
                for policy in ("lru", "arc") for size in ("0.01", "0.1", "absolute")]
        results = "\n".join(["trace\tsize\tpolicy\tomr", *rows, "", "# summary"])
        self.assertLessEqual({"a one", "a two", "lru", "arc"}, self.texts(results))


class Memory(unittest.TestCase):
    def test_every_shape(self):
        _, rows = run("memory", "--most", 20_000, "--steps", 3)
        last = {(row["shape"], row["server"]): row for row in rows}
        self.assertEqual({shape for shape, _ in last},
                         {"small", "small-ttl", "1k", "16k", "mixed", "budget"})
        # What redis-server takes for each item is known: 98 bytes of its own at 32-byte values.
        self.assertGreater(last["small", "redis"]["beyond"], 50)
        self.assertLess(last["small", "redis"]["beyond"], 300)
        for (shape, server), row in last.items():
            self.assertLessEqual(row["held"], row["put"])
            if server == "cistern" and shape != "budget":
                self.assertGreater(row["beyond"], 0, row)
        # A budget of 1 MiB is full, and is used.
        tiny = last["budget", "cistern"]
        self.assertLess(tiny["held"], tiny["put"])
        self.assertGreater(tiny["held"], 1000)


class Latency(unittest.TestCase):
    def test_quantiles_grow(self):
        _, rows = run("latency", "--keys", 1000, *SHORT, "--rates", 2000)
        self.assertEqual(len(rows), 4)
        for row in rows:
            quantiles = [row[which] for which in ("p50", "p90", "p99", "p99.9", "p99.99")]
            self.assertEqual(quantiles, sorted(quantiles))
            self.assertGreater(quantiles[0], 1000)  # two system calls a side
        # An open loop sends what was planned, no more and no less.
        for row in (row for row in rows if "open loop" in row["load"]):
            self.assertAlmostEqual(row["operations_per_s"], 2000, delta=20)


class Growth(unittest.TestCase):
    def test_a_row_a_million_and_the_histogram(self):
        output = subprocess.check_output([BUILD / "bench" / "growth", "--millions", "2"], text=True)
        rows = [[cell.strip() for cell in line.strip("|").split("|")]
                for line in output.splitlines() if line.startswith("| ")]
        titles, *millions = [row for row in rows if len(row) > 3]
        self.assertEqual([row[0] for row in millions], ["1", "2"])
        for row in millions:
            quantiles = [int(cell) for cell in row[1:6]]
            self.assertEqual(quantiles, sorted(quantiles))
            touched = int(row[titles.index("most entries touched")])
            self.assertTrue(400 < touched <= 700, touched)
        histogram = [row for row in rows if len(row) == 3][1:]
        self.assertEqual(sum(int(row[1]) for row in histogram), 1_000_000)


class MicroBenchmarks(unittest.TestCase):
    def test_each_program_runs_and_reports_times(self):
        for program in ("resp_bench", "cache_bench", "cluster_bench"):
            output = subprocess.check_output(
                [BUILD / "bench" / program, "--benchmark_min_time=0.001",
                 "--benchmark_format=json", "--benchmark_filter=-1048576|nodes:100|MiB:128"])
            rows = json.loads(output)["benchmarks"]
            self.assertGreater(len(rows), 3, program)
            for row in rows:
                self.assertNotIn("error_occurred", row, row)
                self.assertGreater(row["cpu_time"], 0, row)


if __name__ == "__main__":
    unittest.main(verbosity=2)
