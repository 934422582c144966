#include "cache/holders.h"

#include <gtest/gtest.h>

namespace cistern::test {
namespace {

using namespace std::chrono_literals;
using cache::Holder;
using cache::Holders;
using cache::Instant;

struct HoldersTest : testing::Test {
  std::vector<Holder> Notice(Instant now, uint64_t* sequence = nullptr) {
    std::vector<Holder> list;
    const uint64_t drawn = holders.StartNotice("k", now, &list);
    if (sequence != nullptr) *sequence = drawn;
    return list;
  }
  cache::Budget budget{1 << 20};
  cache::Grace grace;
  Holders holders{budget, 100, grace};
  Instant start{1h};
};

TEST_F(HoldersTest, AnAcknowledgementEndsOnlyLeasesGrantedBeforeItsNotice) {
  holders.Grant("k", 1, 7, start, 1s);
  uint64_t notice = 0;
  EXPECT_EQ(Notice(start, &notice).size(), 1u);
  holders.Grant("k", 1, 7, start, 1s);  // granted after the notice was drawn: a newer value
  holders.Acknowledge("k", 1, 7, notice);
  EXPECT_EQ(Notice(start).size(), 1u);
}

TEST_F(HoldersTest, AnotherIncarnationIsAnotherHolder) {
  holders.Grant("k", 1, 7, start, 1s);
  holders.Grant("k", 1, 8, start, 1s);
  uint64_t notice = 0;
  EXPECT_EQ(Notice(start, &notice).size(), 2u);
  holders.Acknowledge("k", 1, 8, notice);
  ASSERT_EQ(Notice(start).size(), 1u);
  EXPECT_EQ(Notice(start)[0].incarnation, 7u);
}

TEST_F(HoldersTest, ARenewalNeverShortensALease) {
  holders.Grant("k", 1, 7, start, 10s);
  holders.Grant("k", 1, 7, start, 1s);
  EXPECT_EQ(Notice(start + 5s).size(), 1u);
}

TEST_F(HoldersTest, EndedLeasesAreNotListedAndAreReclaimed) {
  holders.Grant("k", 1, 7, start, 1s);
  EXPECT_EQ(Notice(start + 1029ms).size(), 1u);
  EXPECT_EQ(Notice(start + 1030ms).size(), 0u);
  EXPECT_EQ(holders.size(), 1u);
  holders.Reclaim(start + 1030ms, 100);
  EXPECT_EQ(holders.size(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(HoldersTest, RecordsAreCharged) {
  holders.Grant("k", 1, 7, start, 1s);
  EXPECT_GT(budget.used(cache::ChargeKind::kHolders), sizeof(Holder));
}

}  // namespace
}  // namespace cistern::test
