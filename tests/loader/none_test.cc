#include "loader/none.h"

#include "tests/loader/loader_fixture.h"

namespace cistern::loader {
namespace {

using NoneTest = LoaderTest;

TEST_F(NoneTest, EveryKeyIsNotFoundAndNeverInsideTheCall) {
  origin_ = std::make_unique<NoneOrigin>();
  Load({"a", ""}, ThenFinish());
  EXPECT_TRUE(outcomes_.empty());
  Run();
  EXPECT_EQ(Outcome("a"), "not found");
  EXPECT_EQ(Outcome(""), "not found");
}

}  // namespace
}  // namespace cistern::loader
