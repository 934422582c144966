#!/usr/bin/python3
"""The check of includes finds what it must: made-up trees with and without forbidden arrows."""

import pathlib
import sys
import tempfile
import unittest

import check_includes

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def found(**files):
    """The violations in a tree with these files: cache__store_h='#include ...' and so on."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            path = root / name.replace("__", "/").replace("_h", ".h").replace("_cc", ".cc")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(check_includes.violations(root))


class CheckIncludes(unittest.TestCase):
    def test_permitted_arrows_pass(self):
        self.assertEqual(
            found(
                cache__store_cc='#include "cache/store.h"\n#include <vector>\n',
                net__loop_h='#include "cache/executor.h"\n',
                cluster__link_cc='#include "cache/origin.h"\n#include "net/loop.h"\n',
                server__main_cc='#include "resp/parser.h"\n#include "loader/sqlite.h"\n',
                tests__cache__store_cc='#include "cache/store.h"\n#include "tests/cache/clock.h"\n',
            ),
            [],
        )

    def test_a_leaf_that_knows_another_folder_is_named_with_its_line(self):
        self.assertEqual(
            found(cache__group_cc='#include "cache/group.h"\n\n#include "resp/parser.h"\n'),
            ['cache/group.cc:3: "resp/parser.h" is a forbidden arrow'],
        )

    def test_net_may_know_two_headers_of_cache_only(self):
        self.assertEqual(len(found(net__loop_h='#include "cache/store.h"\n')), 1)

    def test_cluster_and_loader_do_not_know_each_other(self):
        self.assertEqual(len(found(cluster__a_cc='#include "loader/sqlite.h"\n')), 1)
        self.assertEqual(len(found(loader__a_cc='#include "cluster/slots.h"\n')), 1)

    def test_nothing_knows_server(self):
        for folder in ("resp", "cache", "net", "cluster", "loader", "bench"):
            self.assertEqual(len(found(**{folder + "__a_cc": '#include "server/worker.h"\n'})), 1)

    def test_a_unit_test_knows_only_its_library(self):
        self.assertEqual(len(found(tests__cache__a_cc='#include "net/loop.h"\n')), 1)

    def test_an_include_that_is_not_written_from_the_root_is_found(self):
        self.assertEqual(len(found(cache__a_cc='#  include "store.h"\n')), 1)

    def test_every_folder_with_code_has_its_arrows(self):
        folders = {p.parent.name for p in REPOSITORY.glob("*/*.cc")} - {"bench"}
        self.assertLessEqual(folders, set(check_includes.ARROWS))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
