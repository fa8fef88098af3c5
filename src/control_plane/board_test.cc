#include "control_plane/board.h"

#include <gtest/gtest.h>

namespace emissary::control_plane {
namespace {

Finding finding(const std::string& message, int line) {
  return {Severity::Error, {Kind::Mapping, "edge", "cart"}, "spec.prefix", message, "a.yaml", line};
}

TEST(FindingChanges, NewAndGone) {
  const FindingChanges changes = compare({finding("a", 1), finding("b", 1)}, {finding("b", 1), finding("c", 1)});
  ASSERT_EQ(changes.appeared.size(), 1u);
  EXPECT_EQ(changes.appeared[0].message, "c");
  ASSERT_EQ(changes.gone.size(), 1u);
  EXPECT_EQ(changes.gone[0].message, "a");
}

TEST(FindingChanges, AnotherLineIsNoNews) {
  // In the new order "b" comes first: the comparison must not lean on the order by line.
  const FindingChanges changes = compare({finding("a", 1), finding("b", 9)}, {finding("a", 20), finding("b", 3)});
  EXPECT_TRUE(changes.appeared.empty());
  EXPECT_TRUE(changes.gone.empty());
}

TEST(Board, ASnapshotStaysAsItWasRead) {
  Board board;
  const SnapshotPtr first = board.current();
  EXPECT_TRUE(first->findings.empty());
  auto next = std::make_shared<Snapshot>();
  next->generation = 2;
  next->findings = {finding("a", 1)};
  EXPECT_EQ(board.post(next), first);
  EXPECT_EQ(board.current()->generation, 2u);
  EXPECT_TRUE(first->findings.empty());
}

}  // namespace
}  // namespace emissary::control_plane
