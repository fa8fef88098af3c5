#include "model/format_text.h"

#include <gtest/gtest.h>

namespace emissary::model {
namespace {

TEST(FormatText, WhatEnvoyTakes) {
  for (const char* format :
       {"", "plain", "100%%", "%%REQ%%", "%REQ(:PATH)%", "%REQ(X-A?:PATH):12% %RESP(X-B)%", "%START_TIME%", "%START_TIME(%s.%3f)%",
        "%START_TIME()%", "%DYNAMIC_METADATA(istio.mixer:status)%", "%GRPC_STATUS(NUMBER)%", "%PATH(NQ:ORIG)%", "%PATH%",
        "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%", "%QUERY_PARAM(q):3%", "%RESPONSE_CODE%%RESPONSE_FLAGS%", "%FILTER_STATE(a)%",
        "%ACCESS_LOG_TYPE%", "%VIRTUAL_CLUSTER_NAME%"}) {
    EXPECT_EQ(formatProblem(format), "") << format;
  }
}

TEST(FormatText, WhatEnvoyRefusesOrNobodyMayRead) {
  for (const char* format : {"100%",
                             "a % b",
                             "%req(x)%",
                             "%REQ%",
                             "%REQ()%",
                             "%REQ(A?B?C)%",
                             "%REQ(a b)%",
                             "%REQ(X",
                             "%REQ(X):-1%",
                             "%REQ(X):99999999%",
                             "%RESPONSE_CODE:1%",
                             "%RESPONSE_CODE(X)%",
                             "%START_TIME:3%",
                             "%START_TIME(a\nb)%",
                             "%GRPC_STATUS(X)%",
                             "%PATH(X)%",
                             "%NOPE%",
                             "%ENVIRONMENT(HOME)%",
                             "%FILE_CONTENT(/etc/passwd)%",
                             "%SECRET(x)%",
                             "%CEL(x)%",
                             "%COALESCE({})%",
                             "%DYNAMIC_METADATA%",
                             "%COMMON_DURATION(X)%",
                             "%FILTER_STATE(a:FIELD)%",
                             "%"}) {
    EXPECT_NE(formatProblem(format), "") << format;
  }
  EXPECT_EQ(formatProblem("%NOPE%"), "holds %NOPE%, which is not an operator that may be used here");
  EXPECT_EQ(formatProblem("%REQ%"), "holds %REQ% in a form that Envoy does not take; write %REQ(X-NAME)%");
}

TEST(FormatText, LonePercentsAreDoubled) {
  EXPECT_EQ(withPercentsDoubled("50% off"), "50%% off");
  EXPECT_EQ(withPercentsDoubled("100%"), "100%%");
  EXPECT_EQ(withPercentsDoubled("%20"), "%%20");
  EXPECT_EQ(withPercentsDoubled("%REQ(a)%%"), "%REQ(a)%%%");
  for (const char* same : {"", "100%%", "a %REQ(x?y):3%%PROTOCOL% b", "%START_TIME(%s.%3f)%", "%REQ(a"}) {
    EXPECT_EQ(withPercentsDoubled(same), same);
  }
}

TEST(FormatText, OneOperator) {
  EXPECT_TRUE(isOneOperator("%RESPONSE_CODE%"));
  EXPECT_TRUE(isOneOperator("%REQ(X):3%"));
  for (const char* format : {"", "x", "%%", "%A%%B%", "%A% ", "%A"}) EXPECT_FALSE(isOneOperator(format)) << format;
}

}  // namespace
}  // namespace emissary::model
