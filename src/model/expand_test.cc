#include "model/expand.h"

#include "model/testing.h"

namespace emissary::model {
namespace {

ObjectPtr withVariables(std::string_view kind, const std::string& spec, std::string_view version = "v3alpha1") {
  const manifest::ParseResult result = manifest::parse("apiVersion: getambassador.io/" + std::string(version) +
                                                       "\nkind: " + std::string(kind) + "\nmetadata: {name: x}\nspec: " + spec);
  EXPECT_FALSE(result.error) << spec;
  ParseContext context{"dir/a.yaml", "own"};
  context.variables = std::make_shared<Variables>(
      Variables{{"CART", "cart"}, {"PORT", "80"}, {"EMPTY", ""}, {"DB_PASSWORD", "hush"}, {"NEST", "${CART}"}, {"BAD", "a\nb"}});
  const ParsedDocument parsed = parseDocument(result.documents.at(0), context);
  EXPECT_EQ(parsed.objects.size(), 1u);
  return parsed.objects.empty() ? std::make_shared<Object>() : parsed.objects[0];
}

Mapping mapping(const std::string& spec) { return std::get<Mapping>(withVariables("Mapping", "{prefix: /, " + spec + "}")->spec); }

TEST(ModelExpand, WhereItCounts) {
  EXPECT_EQ(mapping("service: 'http://${CART}:${PORT}'").service, "http://cart:80");
  EXPECT_EQ(mapping("service: s, hostname: '${CART}.com'").hostname, "cart.com");
  EXPECT_EQ(mapping("service: '${CART}${EMPTY}x'").service, "cartx");
  EXPECT_EQ(mapping("service: '${NEST}'").service, "${CART}");  // once
  // Not where upstream's expansion did harm.
  EXPECT_EQ(mapping("service: s, rewrite: '/${CART}'").rewrite, "/${CART}");
  EXPECT_EQ(mapping("service: s, headers: {x-a: '${CART}'}").headers.at(0).value, "${CART}");
  EXPECT_EQ(mapping("service: '$CART'").service, "$CART");
  EXPECT_EQ(mapping("service: '${}'").service, "${}");
  EXPECT_EQ(mapping("service: '${CART'").service, "${CART");
  EXPECT_EQ(mapping("service: '${a b}'").service, "${a b}");
  EXPECT_EQ(
      std::get<Mapping>(withVariables("Mapping", "{prefix: /, service: '${CART}', host: '${CART}.com'}", "v2")->spec).hostname,
      "cart.com");
  EXPECT_EQ(withVariables("Mapping", "{prefix: /, service: '${CART}'}")->hash,
            withVariables("Mapping", "{prefix: /, service: cart}")->hash);
}

TEST(ModelExpand, WhatStays) {
  EXPECT_EQ(all(*withVariables("Mapping", "{prefix: /, hostname: '*', service: '${NOBODY}:${PORT}'}")),
            "warning spec.service: ${NOBODY} stays as written: the control plane's environment has no such variable, or "
            "EMISSARY_EXPAND_VARIABLES does not name it\n");
  EXPECT_EQ(mapping("service: '${NOBODY}:${PORT}'").service, "${NOBODY}:80");
  EXPECT_EQ(mapping("service: '${DB_PASSWORD}'").service, "${DB_PASSWORD}");
  EXPECT_EQ(all(*withVariables("Mapping", "{prefix: /, hostname: '*', service: '${DB_PASSWORD}'}")),
            "warning spec.service: ${DB_PASSWORD} stays as written: variables whose name tells of a secret are not used\n");
  for (const char* name : {"API_TOKEN", "secretText", "my_key", "KEYS", "aws_credentials", "passwords"})
    EXPECT_FALSE(mayExpand(name)) << name;
  EXPECT_TRUE(mayExpand("CART_HOST"));
  // What a variable brings is checked like all else.
  EXPECT_FALSE(withVariables("Mapping", "{prefix: /, service: '${BAD}'}")->usable);
}

/// What becomes of a Module's config.
std::string config(const std::string& text) {
  manifest::ParseResult result = manifest::parse("{spec: {config: " + text + ", other: '${CART}'}}");
  EXPECT_FALSE(result.error) << text;
  Object object;
  object.ref.kind = Kind::Module;
  Report report(object);
  const Variables variables = {{"CART", "cart"}};
  expandVariables(result.documents.at(0), Kind::Module, variables, report);
  EXPECT_EQ(result.documents[0].find("spec")->text("other"), "${CART}");
  return result.documents[0].find("spec")->find("config")->canonical();
}

TEST(ModelExpand, ModuleConfig) {
  EXPECT_EQ(config("{a: '${CART}', b: [{c: 'x${CART}'}], d: 3}"), R"({"a":"cart","b":[{"c":"xcart"}],"d":3})");
  const std::string verbatim =
      R"({"envoy_log_format":{"a":"${CART}"},"lua_scripts":"${CART}","path_regex":"${CART}","pattern":"${CART}","regex_x":"${CART}","substitution":"${CART}"})";
  EXPECT_EQ(config(verbatim), verbatim);
}

TEST(ModelExpand, Bounded) {
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "${CART}";
  EXPECT_FALSE(withVariables("Mapping", "{prefix: /, service: '" + many + "'}")->usable);
  std::string unknown;
  for (int i = 0; i < 1000; ++i) unknown += "${V" + std::to_string(i) + "}";
  EXPECT_LE(withVariables("Mapping", "{prefix: /, service: '" + unknown + "'}")->findings.size(), 101u);
}

}  // namespace
}  // namespace emissary::model
