#pragma once
// For tests: objects from YAML text, and a certificate of one's own.

#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "model/object.h"

namespace emissary::engine::testing {

/// A Listener on 8080 and a Host that routes cleartext requests for any name.
inline const std::string kListenerAndHost = R"(
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: http, namespace: default}
spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: any, namespace: default}
spec: {hostname: "*", requestPolicy: {insecure: {action: Route}}}
---
)";

/// All objects of the YAML documents in `text`. Aborts the test on text that does not parse.
std::vector<ObjectPtr> objects(std::string_view text);

/// Upserts of them.
std::vector<Change> changes(std::string_view text);

/// A Secret manifest with a new self-signed certificate for `common_name`.
std::string secretManifest(const std::string& ns, const std::string& name, const std::string& common_name);

}  // namespace emissary::engine::testing
