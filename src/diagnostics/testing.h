#pragma once
// For tests: a scene of manifests, as the control plane would set it.

#include <algorithm>
#include <string>

#include "diagnostics/scene.h"
#include "engine/engine.h"
#include "engine/testing.h"

namespace emissary::diagnostics::testing {

inline const std::string kBasics = engine::testing::kListenerAndHost + R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: quote, namespace: default}
spec: {hostname: "*", prefix: /quote/, service: "10.0.0.1:9001"}
)";

/// Without the Mappings to the administration server, which would stand beside those of a test.
inline constexpr const char* kNothingBuiltIn = R"(
apiVersion: getambassador.io/v3alpha1
kind: Module
metadata: {name: ambassador, namespace: default}
spec: {config: {liveness_probe: {enabled: false}, readiness_probe: {enabled: false}, diagnostics: {enabled: false}}}
)";

struct Stage {
  explicit Stage(const std::string& manifests, std::vector<Finding> more = {}) {
    engine::Engine engine({});
    engine.apply(engine::testing::changes(manifests));
    engine.apply(engine::testing::changes(kNothingBuiltIn));
    std::vector<Finding> findings = engine.findings();
    findings.insert(findings.end(), more.begin(), more.end());
    std::sort(findings.begin(), findings.end());
    auto state = std::make_shared<State>();
    state->generation = 1;
    state->findings = std::make_shared<std::vector<Finding>>(std::move(findings));
    state->view = engine.view();
    scene.state = std::move(state);
    scene.envoy = std::make_shared<EnvoyState>();
    scene.about = {std::shared_ptr<void>(), &about};
    scene.host = "gw.test";
    scene.now = about.boot + std::chrono::minutes(61);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  About about{.version = "1.2.3", .hostname = "here", .ambassador_id = "blue", .ns = "default", .cluster_id = "c"};
  Scene scene;
};

}  // namespace emissary::diagnostics::testing
