// What a sqlite backend answers. (Trouble: sqlite_failure_test.cc)
#include "loader/sqlite.h"

#include <thread>

#include "tests/loader/sqlite_fixture.h"

namespace cistern::loader {
namespace {

TEST_F(SqliteTest, FoundEmptyNullAndMissingAreToldApart) {
  Fill("INSERT INTO t VALUES ('found', 'x'), ('empty', ''), ('null', NULL), ('blob', x'')");
  Open();
  Load({"found", "empty", "null", "blob", "missing"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("found"), "value x");
  EXPECT_EQ(Outcome("empty"), "value ");
  EXPECT_EQ(Outcome("blob"), "value ");
  EXPECT_EQ(Outcome("null"), "not found");
  EXPECT_EQ(Outcome("missing"), "not found");
}

TEST_F(SqliteTest, BlobsAndTextAreTheirBytesAndNumbersTheirText) {
  Fill(
      "INSERT INTO t VALUES ('blob', x'00ff0d0a'), ('int', 42), ('real', 1.5), "
      "('nul', CAST(x'610062' AS TEXT))");
  Open();
  Load({"blob", "int", "real", "nul"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("blob"), std::string("value \0\xff\r\n", 10));
  EXPECT_EQ(Outcome("int"), "value 42");
  EXPECT_EQ(Outcome("real"), "value 1.5");
  EXPECT_EQ(Outcome("nul"), std::string("value a\0b", 9));
}

TEST_F(SqliteTest, KeyIsTextWhenItIsUtf8AndElseABlob) {
  Fill(
      "INSERT INTO t VALUES ('Zürich', 'text'), (x'ff00', 'blob'), (x'eda080', 'surrogate'), "
      "(x'c080', 'overlong'), (CAST(x'6100' AS TEXT), 'nul'), ('', 'empty')");
  Open();
  const std::string blob("\xff\0", 2);
  const std::string nul("a\0", 2);
  Load({"Zürich", blob, "\xed\xa0\x80", "\xc0\x80", nul, ""}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("Zürich"), "value text");
  EXPECT_EQ(Outcome(blob), "value blob");
  EXPECT_EQ(Outcome("\xed\xa0\x80"), "value surrogate");
  EXPECT_EQ(Outcome("\xc0\x80"), "value overlong");
  EXPECT_EQ(Outcome(nul), "value nul");
  EXPECT_EQ(Outcome(""), "value empty");
}

TEST_F(SqliteTest, Utf16DatabaseAnswersInUtf8) {
  Database(options_.path).Run("PRAGMA encoding = 'UTF-16'");
  {
    Database database(options_.path);
    database.Run("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (k, v)");
    database.Run("INSERT INTO t VALUES ('k', 'Zürich')");
  }
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"), "value Zürich");
}

TEST_F(SqliteTest, QuerysParameterMayBeUsedTwice) {
  Fill("INSERT INTO t VALUES ('k', 'x')");
  options_.query = "SELECT v || ?1 FROM t WHERE k = ?1;\n";
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"), "value xk");
}

TEST_F(SqliteTest, LoadSeesWhatWasCommittedBeforeIt) {
  Fill("INSERT INTO t VALUES ('k', 'old')");
  Open();
  Load({"k"}, [this] {
    Database(options_.path).Run("UPDATE t SET v = 'new'");
    Load({"k"}, ThenFinish());
  });
  Run();
  EXPECT_THAT(outcomes_["k"], ::testing::ElementsAre("value old", "value new"));
}

TEST_F(SqliteTest, FileRenamedOverTheOldOneIsRead) {
  Fill("INSERT INTO t VALUES ('k', 'old')");
  Fill(folder_ + "/next.db", "INSERT INTO t VALUES ('k', 'new')");
  Open();
  Load({"k"}, [this] {
    std::filesystem::rename(folder_ + "/next.db", options_.path);
    Load({"k"}, ThenFinish());
  });
  Run();
  EXPECT_THAT(outcomes_["k"], ::testing::ElementsAre("value old", "value new"));
}

TEST_F(SqliteTest, ManyKeysFromSeveralThreadsGetTheirOwnAnswers) {
  constexpr int kLoops = 3;
  constexpr int kKeys = 2000;
  options_.connections = 2;
  options_.query = "SELECT 'of ' || ?1";
  Fill("");
  auto origin = *SqliteOrigin::Open(options_, kLoops);
  std::vector<std::unique_ptr<net::Loop>> loops;
  std::vector<int> right(kLoops, 0);
  std::vector<int> answered(kLoops, 0);
  for (int i = 0; i < kLoops; ++i) {
    net::Loop& loop = *loops.emplace_back(std::make_unique<net::Loop>(i));
    loop.Post([&, i] {
      for (int k = 0; k < kKeys; ++k) {
        const std::string key = std::to_string(i) + ":" + std::to_string(k);
        origin->Load(loop, key,
                     cache::Completion<LoadResult>::Make(loop, [&, i, key](LoadResult result) {
                       const auto at = static_cast<size_t>(i);
                       if (TextOf(result) == "value of " + key) ++right[at];
                       if (++answered[at] == kKeys) loops[at]->Stop();
                     }));
      }
    });
  }
  for (const auto& loop : loops)
    loop->Start();
  for (const auto& loop : loops)
    loop->Join();
  EXPECT_THAT(right, ::testing::Each(kKeys));
}

}  // namespace
}  // namespace cistern::loader
