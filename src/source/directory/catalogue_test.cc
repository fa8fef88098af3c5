#include "source/directory/catalogue.h"

#include <gtest/gtest.h>

#include "source/directory/test_support.h"

namespace emissary::source {
namespace {

ObjectPtr object(const std::string& name, const std::string& value, const std::string& path, int line) {
  auto result = std::make_shared<Object>();
  result->ref = mapping(name);
  result->path = path;
  result->line = line;
  result->hash = hashOfValue(value);
  return result;
}

std::string describe(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    if (const auto* upsert = std::get_if<Upsert>(&event)) {
      text += "+" + upsert->object->ref.name + "@" + upsert->object->path + ":" + std::to_string(upsert->object->line) + " ";
    }
    if (const auto* deletion = std::get_if<Delete>(&event)) text += "-" + deletion->ref.name + " ";
    if (const auto* file = std::get_if<FileFindings>(&event)) {
      text += file->path + "!" + std::to_string(file->findings.size()) + " ";
    }
  }
  return text;
}

TEST(Catalogue, TellsOnlyWhatChanged) {
  Catalogue catalogue;
  catalogue.put("a", {object("x", "1", "a", 1), object("y", "1", "a", 5)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@a:1 +y@a:5 ");
  catalogue.put("a", {object("x", "1", "a", 1), object("y", "2", "a", 5)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+y@a:5 ");
  catalogue.put("a", {object("x", "1", "a", 1), object("y", "2", "a", 6)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+y@a:6 ");  // moved
  catalogue.put("a", {object("x", "1", "a", 1), object("y", "2", "a", 6)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "");
  catalogue.put("a", {object("y", "2", "a", 6)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "-x ");  // y only changed its number in the file
  catalogue.remove("a");
  EXPECT_EQ(describe(catalogue.takeEvents()), "-y ");
  catalogue.remove("a");
  EXPECT_EQ(describe(catalogue.takeEvents()), "");
}

TEST(Catalogue, AnObjectThatMovesBetweenFilesIsNotDeleted) {
  Catalogue catalogue;
  catalogue.put("a", {object("x", "1", "a", 1)}, {});
  catalogue.takeEvents();
  catalogue.remove("a");
  catalogue.put("b", {object("x", "1", "b", 1)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@b:1 ");
}

TEST(Catalogue, TheFirstByPathAndPositionWins) {
  Catalogue catalogue;
  catalogue.put("b", {object("x", "1", "b", 1), object("x", "2", "b", 4)}, {});
  std::vector<Event> events = catalogue.takeEvents();
  EXPECT_EQ(describe(events), "+x@b:1 b!1 ");
  const Finding& finding = std::get<FileFindings>(events.back()).findings.front();
  EXPECT_EQ(finding.message, "Mapping default/x is already defined at b:1, which is used; remove one of the two");
  EXPECT_EQ(finding.line, 4);
  EXPECT_EQ(finding.object, mapping("x"));

  catalogue.put("a", {object("x", "3", "a", 7)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@a:7 b!2 ");
  catalogue.put("a", {object("x", "3", "a", 9)}, {});  // the losers are told the winner's new place
  events = catalogue.takeEvents();
  EXPECT_EQ(describe(events), "+x@a:9 b!2 ");
  EXPECT_NE(std::get<FileFindings>(events.back()).findings.front().message.find("a:9"), std::string::npos);
  catalogue.remove("a");
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@b:1 b!1 ");
  catalogue.put("b", {object("x", "2", "b", 4)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@b:4 b!0 ");
}

TEST(Catalogue, ABlamedFileKeepsItsObjects) {
  Catalogue catalogue;
  catalogue.put("a", {object("x", "1", "a", 1)}, {Finding{}, Finding{}});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@a:1 a!2 ");
  catalogue.blame("a", Finding{});
  EXPECT_EQ(describe(catalogue.takeEvents()), "a!1 ");
  catalogue.blame("a", Finding{});
  EXPECT_EQ(describe(catalogue.takeEvents()), "");
  EXPECT_EQ(catalogue.objectsIn("a"), 1u);
  catalogue.put("a", {object("x", "1", "a", 1)}, {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "a!0 ");
  catalogue.blame("folder", Finding{});
  EXPECT_EQ(describe(catalogue.takeEvents()), "folder!1 ");
  catalogue.absolve("folder");
  EXPECT_EQ(describe(catalogue.takeEvents()), "folder!0 ");
}

TEST(Catalogue, TenThousandDefinitionsOfOneObject) {
  Catalogue catalogue;
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 10'000; ++i) objects.push_back(object("x", "1", "a", i + 1));
  catalogue.put("a", std::move(objects), {});
  EXPECT_EQ(describe(catalogue.takeEvents()), "+x@a:1 a!9999 ");
  catalogue.remove("a");
  EXPECT_EQ(describe(catalogue.takeEvents()), "-x a!0 ");
}

}  // namespace
}  // namespace emissary::source
