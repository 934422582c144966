"""What the benches make of windows: which ones count, and how they are shown."""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from testbed import report, windows
from testbed.works import WORKS


def window(stolen=0.0, cpu=100, foreign=0.0):
    return windows.Window({"operations": 10, "seconds": 2, "server_cpu_ns": 10 * cpu},
                          stolen, foreign)


class Windows(unittest.TestCase):
    def test_figures_are_per_operation_and_per_second(self):
        self.assertEqual(window(cpu=700).cpu, 700)
        self.assertEqual(window().rate, 5)

    def test_stolen_windows_are_left_out_where_three_others_remain(self):
        clean = [window(cpu=cpu) for cpu in (1, 2, 3)]
        self.assertEqual(windows.undisturbed([window(stolen=0.5), *clean]), (clean, True))
        self.assertEqual(windows.median([window(stolen=0.5, cpu=9), *clean], lambda w: w.cpu), 2)

    def test_else_the_least_stolen_three_count_and_the_row_says_so(self):
        least = [window(stolen=part) for part in (0, 0.1, 0.2)]
        self.assertEqual(windows.undisturbed([window(stolen=0.5), *reversed(least)]),
                         (least, False))

    def test_one_clean_window_of_one_is_enough(self):
        only = [window()]
        self.assertEqual(windows.undisturbed(only), (only, True))

    def test_a_disturbed_window_is_measured_again_and_the_least_disturbed_is_taken(self):
        class Scripted(windows.Generator):
            def window(self, server, **rows):
                return script.pop(0)
        script = [window(stolen=0.5), window(foreign=0.9), window(), window(cpu=7)]
        self.assertEqual(Scripted("", tries=4).least_disturbed(None), window())
        self.assertEqual(script, [window(cpu=7)])
        script = [window(stolen=0.5), window(stolen=0.2), window(stolen=0.3)]
        self.assertEqual(Scripted("", tries=3).least_disturbed(None).stolen, 0.2)

    def test_no_window_inserts_keys_of_another_one(self):
        class Recorded(windows.Generator):
            def run(self, server, **rows):
                firsts.append(rows.get("first"))
                return {"operations": 1, "seconds": 1, "server_cpu_ns": 1}
        firsts, server = [], types.SimpleNamespace(next_key=5, pids=[])
        for _ in range(3):
            Recorded("").window(server, work="insert")
        self.assertEqual(firsts, [5, 100_000_005, 200_000_005])
        Recorded("").window(server, work="get")
        self.assertIsNone(firsts[3])

    def test_a_report_says_how_disturbed_the_machine_was(self):
        text = windows.disturbance([window(stolen=0.5), window(foreign=0.9), window(foreign=0.8)])
        self.assertIn("Of 3 windows", text)
        self.assertIn("6% of a core in 1", text)
        self.assertIn("20% of a core in 2", text)


class Report(unittest.TestCase):
    def test_columns_of_numbers_stand_to_the_right(self):
        self.assertEqual(report.table(["work", "ns"], [["90/10 GET", "1,234"], ["MGET", ""]]),
                         "| work | ns |\n| --- | ---: |\n| 90/10 GET | 1,234 |\n| MGET |  |")


class Works(unittest.TestCase):
    def test_names_differ(self):
        self.assertEqual(len({work.name for work in WORKS}), len(WORKS))

    def test_an_insert_shares_its_servers_with_nobody(self):
        (insert,) = [work for work in WORKS if work.verb == "insert"]
        self.assertEqual([work for work in WORKS if work.setting == insert.setting], [insert])
        # Were there nothing but keys and values, they would fill the memory.
        self.assertAlmostEqual(insert.filled * (16 + insert.value_size), insert.memory_mib << 20,
                               delta=1000)


if __name__ == "__main__":
    unittest.main()
