#include "manifest/parse.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace emissary::manifest {
namespace {

using Type = Value::Type;

ParseResult mustParse(std::string_view text, const Limits& limits = {}) {
  ParseResult result = parse(text, limits);
  EXPECT_FALSE(result.error) << result.error->line << ": " << result.error->message << "\n" << text.substr(0, 200);
  return result;
}

Value one(std::string_view text) {
  ParseResult result = mustParse(text);
  EXPECT_EQ(result.documents.size(), 1u) << text.substr(0, 200);
  return result.documents.empty() ? Value{} : std::move(result.documents.front());
}

ParseError refused(std::string_view text, const Limits& limits = {}) {
  const ParseResult result = parse(text, limits);
  EXPECT_TRUE(result.error) << text.substr(0, 200);
  return result.error.value_or(ParseError{});
}

/// "Int:5", "String:5", "Bool:true" … of a scalar written in YAML.
std::string read(std::string_view scalar) {
  const Value value = one(fmt::format("v: {}\n", scalar));
  const Value* v = value.find("v");
  if (v == nullptr) return "absent";
  return fmt::format("{}:{}", typeName(v->type), v->canonical());
}

TEST(YamlScalar, NullForms) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(read(text), "null:null") << text;
  for (const char* text : {"nULL", "nil", "'~'"}) EXPECT_TRUE(read(text).starts_with("string:")) << text;
}

TEST(YamlScalar, Booleans) {
  for (const char* text : {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}) {
    EXPECT_EQ(read(text), "boolean:true") << text;
  }
  for (const char* text : {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}) {
    EXPECT_EQ(read(text), "boolean:false") << text;
  }
  for (const char* text : {"yEs", "tRUE", "oN", "'on'", "\"yes\"", "!!str no"}) {
    EXPECT_TRUE(read(text).starts_with("string:")) << text;
  }
}

TEST(YamlScalar, Integers) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"-5", -5},
      {"+7", 7},
      {"1_000_000", 1000000},
      {"0x1F", 31},
      {"-0x10", -16},
      {"0o17", 15},
      {"0b101", 5},
      {"-0b11", -3},
      {"017", 15},
      {"0x_ff", 255},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"00", 0},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), fmt::format("integer:{}", expected)) << text;
  for (const char* text : {"0x", "-x", "0o9", "0b2", "12a", "_1", "1-2", "+-5", "0xg"}) {
    EXPECT_EQ(read(text), fmt::format("string:\"{}\"", text)) << text;
  }
  EXPECT_EQ(read("9223372036854775808"), "number:9.223372036854776e+18");
  EXPECT_EQ(read("99999999999999999999"), "number:1e+20");
}

TEST(YamlScalar, Numbers) {
  const std::pair<const char*, const char*> cases[] = {
      {"1.5", "1.5"},         {"-.5", "-0.5"},       {"+.25", "0.25"}, {".5", "0.5"},     {"1.", "1.0"},
      {"1e3", "1000.0"},      {"08", "8.0"},         {"1E-2", "0.01"}, {"1_0.5", "10.5"}, {".inf", "Infinity"},
      {"-.Inf", "-Infinity"}, {"+.INF", "Infinity"}, {".nan", "NaN"},  {".NaN", "NaN"},   {"1e-400", "0.0"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), fmt::format("number:{}", expected)) << text;
  for (const char* text : {"1e", ".", "..", "1.2.3", "1e400", "inf", ".nAn", ".e5", "1:30", "10.0.0.1", "5s", "2001-12-14"}) {
    EXPECT_EQ(read(text), fmt::format("string:\"{}\"", text)) << text;
  }
}

TEST(YamlScalar, QuotedBlockAndTaggedAreStrings) {
  EXPECT_EQ(read("\"5\""), "string:\"5\"");
  EXPECT_EQ(read("'5'"), "string:\"5\"");
  EXPECT_EQ(read("!!str 5"), "string:\"5\"");
  EXPECT_EQ(read("!local 5"), "string:\"5\"");
  EXPECT_EQ(read("|\n  5\n"), "string:\"5\\u000a\"");
  EXPECT_EQ(read("!!int \"5\""), "integer:5");
  EXPECT_EQ(read("!!float 5"), "number:5.0");
  EXPECT_EQ(refused("a: 1\nb: !!int five\n").line, 2);
  EXPECT_EQ(refused("a: 1\nb: !!binary aGFsbG8=\n").line, 2);
}

TEST(Yaml, LinesOfNodes) {
  const Value doc = one("---\n# comment\nkind: Mapping\nspec:\n  - a\n  -\n    b: |\n      x\n    c:\n\n      d\n");
  EXPECT_EQ(doc.line, 3);
  const Value* spec = doc.find("spec");
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(spec->line, 4);
  ASSERT_EQ(spec->list.size(), 2u);
  EXPECT_EQ(spec->list[0].line, 5);
  EXPECT_EQ(spec->list[1].line, 7);
  EXPECT_EQ(spec->list[1].find("c")->line, 9);  // its key's, not its own
}

TEST(Yaml, SeveralDocumentsAndEmptyOnes) {
  const ParseResult result = mustParse("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\n~\n");
  ASSERT_EQ(result.documents.size(), 2u);
  EXPECT_EQ(result.documents[0].line, 3);
  EXPECT_EQ(result.documents[1].canonical(), "{\"b\":2}");
  EXPECT_TRUE(mustParse("").documents.empty());
  EXPECT_TRUE(mustParse("# only a comment\n").documents.empty());
  EXPECT_TRUE(mustParse("\xEF\xBB\xBF").documents.empty());
}

TEST(Yaml, WindowsLinesAndByteOrderMark) {
  const Value doc =
      one("\xEF\xBB\xBF"
          "a: 1\r\nb:\r\n  - x\r\n");
  EXPECT_EQ(doc.canonical(), "{\"a\":1,\"b\":[\"x\"]}");
  EXPECT_EQ(doc.find("b")->line, 2);
  EXPECT_EQ(one("\xEF\xBB\xBF{\"a\": 1}").canonical(), "{\"a\":1}");
}

TEST(Yaml, TheLastOfDuplicateKeysWins) {
  const Value doc = one("a: 1\nb: 2\na: 3\n");
  EXPECT_EQ(doc.canonical(), "{\"a\":3,\"b\":2}");
  EXPECT_EQ(doc.map.size(), 2u);
  EXPECT_EQ(doc.find("a")->line, 3);
  EXPECT_EQ(one("{\"a\": 1, \"a\": {\"x\": 2}}").canonical(), "{\"a\":{\"x\":2}}");
}

TEST(Yaml, KeysThatAreNoStrings) {
  EXPECT_EQ(one("8080: a\nyes: b\n1.5: c\n0x10: d\n").canonical(), R"({"1.5":"c","16":"d","8080":"a","true":"b"})");
  EXPECT_EQ(refused("a: 1\n~: 2\n").line, 2);
  EXPECT_EQ(refused("a: 1\n? [x]\n: 2\n").line, 2);
  EXPECT_EQ(refused("a: 1\n? {x: 1}\n: 2\n").line, 2);
}

TEST(Yaml, AnchorsAndAliases) {
  EXPECT_EQ(one("a: &x {k: [1, 2]}\nb: *x\nc: [*x]\n").canonical(), R"({"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]}]})");
  EXPECT_EQ(one("- &a 1\n- *a\n- &a 2\n- *a\n").canonical(), "[1,1,2,2]");  // the newest of one name counts
  EXPECT_EQ(one("&k key: 1\nother: *k\n").canonical(), R"({"key":1,"other":"key"})");
  EXPECT_EQ(one("a: &k key\n*k : 1\n").canonical(), R"({"a":"key","key":1})");
  EXPECT_EQ(refused("a: 1\nb: *nope\n").line, 2);
  EXPECT_NE(refused("a: 1\nb: *nope\n").message.find("nope"), std::string::npos);
  EXPECT_EQ(refused("a: &x 1\n---\nb: *x\n").line, 3);  // anchors end with the document
}

TEST(Yaml, AliasInsideItsOwnValueIsRefused) {
  EXPECT_EQ(refused("a: &x\n  b: *x\n").line, 2);
  EXPECT_EQ(refused("&x [1, *x]").line, 1);
  EXPECT_EQ(refused("a: &x 1\nb: &x\n  c: *x\n").line, 3);  // the enclosing one hides the older one
}

TEST(Yaml, MergeKeys) {
  EXPECT_EQ(one("base: &b {x: 1, w: 2}\nuse:\n  <<: *b\n  w: 3\n").find("use")->canonical(), R"({"w":3,"x":1})");
  EXPECT_EQ(one("base: &b {x: 1, w: 2}\nuse:\n  w: 3\n  <<: *b\n").find("use")->canonical(), R"({"w":3,"x":1})");
  EXPECT_EQ(one("a: &a {x: 1, w: 1}\nb: &b {w: 2, z: 2}\nuse:\n  <<: [*a, *b]\n").find("use")->canonical(),
            R"({"w":1,"x":1,"z":2})");
  EXPECT_EQ(one("use:\n  <<: {x: 1}\n  z: 2\n").find("use")->canonical(), R"({"x":1,"z":2})");
  EXPECT_EQ(one("\"<<\": 1\n").canonical(), R"({"<<":1})");  // quoted: an ordinary key
  EXPECT_EQ(one("{\"<<\": 1}").canonical(), R"({"<<":1})");
  EXPECT_EQ(one("a: &a {x: 1}\nb: &b\n  <<: *a\n  w: 2\nc:\n  <<: *b\n").find("c")->canonical(), R"({"w":2,"x":1})");
  EXPECT_EQ(refused("a: 1\nb:\n  <<: 5\n").line, 3);
  EXPECT_EQ(refused("a: 1\nb:\n  <<: [{x: 1}, 5]\n").line, 3);
}

TEST(Yaml, ErrorsHaveLineAndCure) {
  const ParseError tab = refused("a:\n\tb: 1\n");
  EXPECT_EQ(tab.line, 2);
  EXPECT_NE(tab.message.find("tab"), std::string::npos) << tab.message;
  EXPECT_EQ(refused("a: 1\nb: c: d\n").line, 2);
  EXPECT_EQ(refused("a: 1\nb: [1, 2\nc: 3\n").line, 3);
  EXPECT_FALSE(refused("a: \"open\n").message.empty());
}

TEST(Yaml, BinaryRubbishIsRefused) {
  EXPECT_EQ(refused(std::string_view("a: 1\nb: \0x\n", 11)).line, 2);
  EXPECT_EQ(refused("a: 1\nb: \x01\n").line, 2);
  const ParseError no_utf8 = refused("a: 1\nb: 2\nc: \xff\xfe\n");
  EXPECT_EQ(no_utf8.line, 3);
  EXPECT_NE(no_utf8.message.find("UTF-8"), std::string::npos) << no_utf8.message;
  EXPECT_EQ(refused("a: \xed\xa0\x80\n").line, 1);  // a lone surrogate
}

TEST(Json, ValuesAndLines) {
  const Value doc = one("{\n \"a\": 1,\n \"b\": [\n  true,\n  null,\n  7\n  ,\n  -1.5e2],\n\t\"c\": {\"d\": \"x\\u00e9\"}\n}\n");
  EXPECT_EQ(doc.canonical(), "{\"a\":1,\"b\":[true,null,7,-150.0],\"c\":{\"d\":\"x\xC3\xA9\"}}");
  EXPECT_EQ(doc.line, 1);
  const Value* b = doc.find("b");
  EXPECT_EQ(b->line, 3);
  EXPECT_EQ(b->list[0].line, 4);
  EXPECT_EQ(b->list[2].line, 6);  // although the lexer looks one character past a number
  EXPECT_EQ(doc.find("c")->line, 9);
}

TEST(Json, SeveralValuesAndBigIntegers) {
  const ParseResult result = mustParse("{\"a\":1}\n{\"b\":2}[3]\n\n");
  ASSERT_EQ(result.documents.size(), 3u);
  EXPECT_EQ(result.documents[1].line, 2);
  EXPECT_EQ(one("[9223372036854775807, 9223372036854775808]").canonical(), "[9223372036854775807,9.223372036854776e+18]");
}

TEST(Json, FlowStyleYamlIsReadAsYaml) {
  EXPECT_EQ(one("{a: yes, b: [1, x]}").canonical(), R"({"a":true,"b":[1,"x"]})");
  EXPECT_EQ(mustParse("{\"a\": 1}\n---\n{\"b\": 2}\n").documents.size(), 2u);
  EXPECT_EQ(one("{\"a\": 1, # comment\n \"b\": 2}").canonical(), R"({"a":1,"b":2})");
}

TEST(Json, ErrorsPointAtTheMistake) {
  EXPECT_EQ(refused("{\n\t\"a\": 1,\n\t\"b\": 2\n\t\"c\": 3\n}\n").line, 4);
  EXPECT_FALSE(refused("{\"a\": ").message.empty());
  EXPECT_EQ(refused("{\"password\": \"hunter2\" \"x\"}").message.find("hunter2"), std::string::npos);
}

TEST(Hostile, BillionLaughs) {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) text += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    text += "]\n";
  }
  Limits limits;
  limits.max_nodes = 100'000;
  EXPECT_NE(refused(text, limits).message.find("alias"), std::string::npos);
  EXPECT_EQ(refused(text, limits).line, 5);
}

TEST(Hostile, AliasesOfALongTextAreBoundedInBytes) {
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nb:\n";
  for (int i = 0; i < 1000; ++i) text += "- *a\n";
  Limits limits;
  limits.max_bytes = 1'000'000;
  EXPECT_EQ(refused(text, limits).line, 13);
}

TEST(Hostile, NestedAnchorsAreBounded) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += fmt::format("&a{} [", i);
  for (int i = 0; i < 1000; ++i) text += "1,";
  text += std::string(50, ']');
  Limits limits;
  limits.max_nodes = 10'000;
  EXPECT_NE(refused(text, limits).message.find("anchors"), std::string::npos);
}

TEST(Hostile, Depth) {
  EXPECT_EQ(refused(std::string(10'000, '[')).line, 1);
  EXPECT_NE(refused(std::string(10'000, '[')).message.find("64 levels"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  EXPECT_NE(refused(objects).message.find("64 levels"), std::string::npos);
  std::string block;
  for (int i = 0; i < 200; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(refused(block).line, 65);
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  EXPECT_NE(refused(dashes).message.find("64 levels"), std::string::npos);
  EXPECT_EQ(mustParse(std::string(64, '[') + std::string(64, ']')).documents.size(), 1u);
}

TEST(Hostile, DepthThroughAliases) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 200; ++i) text += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_NE(refused(text).message.find("64 levels"), std::string::npos);
}

TEST(Hostile, ManyKeysAreNotQuadratic) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("k{}: {}\n", i % 50'000, i);
  const Value doc = one(text);
  ASSERT_EQ(doc.map.size(), 50'000u);
  EXPECT_EQ(doc.map.front().first, "k0");
  EXPECT_EQ(doc.map.front().second.integer, 50'000);
}

TEST(Hostile, SizeAndNodeLimits) {
  Limits limits;
  limits.max_bytes = 10;
  EXPECT_EQ(refused("a: 12345678901234567890\n", limits).line, 0);
  limits = {};
  limits.max_nodes = 5;
  EXPECT_EQ(refused("- 1\n- 2\n- 3\n- 4\n- 5\n", limits).line, 5);
  EXPECT_EQ(refused("[1,\n2,\n3,\n4,\n5]", limits).line, 5);
}

TEST(Value, LooksUp) {
  const Value doc = one("a: text\nb: 5\nc: null\n");
  EXPECT_EQ(doc.text("a"), "text");
  EXPECT_EQ(doc.text("b"), "");
  EXPECT_EQ(doc.text("z"), "");
  EXPECT_EQ(doc.find("z"), nullptr);
  ASSERT_NE(doc.find("c"), nullptr);
  EXPECT_TRUE(doc.find("c")->isNull());
  EXPECT_EQ(doc.find("a")->find("x"), nullptr);
}

TEST(Value, CanonicalIgnoresOrderAndKeepsTypesApart) {
  EXPECT_EQ(one("b: {d: 1, c: 2}\na: x\n").canonical(), one("a: x\nb: {c: 2, d: 1}\n").canonical());
  EXPECT_EQ(one("a: \"q\\\"\\\\\\n\"\n").canonical(), "{\"a\":\"q\\\"\\\\\\u000a\"}");
  EXPECT_NE(one("a: 1\n").canonical(), one("a: '1'\n").canonical());
  EXPECT_NE(one("a: 1\n").canonical(), one("a: 1.0\n").canonical());
}

}  // namespace
}  // namespace emissary::manifest
