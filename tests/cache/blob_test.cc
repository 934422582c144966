#include "cache/blob.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace cistern::cache {
namespace {

TEST(Blob, HoldsACopyOfBytesOfAnyLength) {
  for (const size_t size : {0, 1, 15, 4096, 16 << 10, 3 << 20}) {
    std::string bytes(size, 'v');
    const BlobPtr blob = MakeBlob(bytes);
    bytes.assign(size, '!');
    EXPECT_TRUE(blob->bytes() == std::string(size, 'v')) << size;
  }
}

TEST(Blob, TakesLittleMoreThanItsBytes) {
  for (const size_t size : {4096, 5000, 16 << 10, 100'000}) {
    EXPECT_GE(MakeBlob(std::string(size, 'v'))->charge(), size + 24) << size;
    EXPECT_LE(MakeBlob(std::string(size, 'v'))->charge(), size + 48) << size;
  }
}

TEST(Blob, IsChargedToOneBudgetUntilItsLastOwnerLetsGo) {
  Budget first(1 << 20), second(1 << 20);
  BlobPtr blob = MakeBlob(std::string(10'000, 'v'));
  const size_t charge = blob->charge();
  blob->ChargeTo(first);
  blob->ChargeTo(first);
  EXPECT_EQ(first.used(ChargeKind::kValues), charge);
  blob->ChargeTo(second);
  EXPECT_EQ(first.used(), 0U);
  EXPECT_EQ(second.used(ChargeKind::kValues), charge);

  BlobPtr pin(blob.get());
  const BlobPtr copy = pin;
  blob = nullptr;
  EXPECT_EQ(second.used(), charge);
  BlobPtr moved = std::move(pin);
  EXPECT_EQ(moved, copy);
  moved = BlobPtr();
  EXPECT_EQ(second.used(), charge);
  EXPECT_EQ(copy->bytes(), std::string(10'000, 'v'));
}

TEST(Blob, ReleasedOwnershipLastsUntilItIsAdopted) {
  Budget budget(1 << 20);
  BlobPtr blob = MakeBlob("value");
  blob->ChargeTo(budget);
  const Blob* released = blob.Release();
  EXPECT_FALSE(blob);
  EXPECT_GT(budget.used(), 0U);
  BlobPtr::Adopt(released);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Blob, OwnersOnManyThreadsFreeItOnce) {
  Budget budget(1 << 20);
  for (int round = 0; round < 200; ++round) {
    BlobPtr blob = MakeBlob("value");
    blob->ChargeTo(budget);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([owner = blob] {
        for (int copies = 0; copies < 100; ++copies) {
          BlobPtr copy = owner;
          ASSERT_EQ(copy->bytes(), "value");
          copy = nullptr;
        }
      });
    }
    blob = nullptr;
    for (std::thread& thread : threads)
      thread.join();
    ASSERT_EQ(budget.used(), 0U);
  }
}

}  // namespace
}  // namespace cistern::cache
