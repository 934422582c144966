#include "server/admin/admin_page.h"

#include <array>

#include "server/admin/metrics.h"

namespace cistern::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kIndex =
    "<!doctype html><title>cistern</title><h1>cistern</h1><ul>\n"
    "<li><a href=\"/metrics\">/metrics</a> for Prometheus\n"
    "<li><a href=\"/stats\">/stats</a> the same as JSON\n"
    "<li><a href=\"/healthz\">/healthz</a> 200: the process answers\n"
    "<li><a href=\"/readyz\">/readyz</a> 200: send clients here; 503: do not\n"
    "</ul>\n";

using Sources = AdminServer::Sources;

struct Page {
  std::string_view path;
  AdminReply (*answer)(const Sources&);
};

constexpr auto kPages = std::to_array<Page>({
    {"/",
     [](const Sources&) {
       return AdminReply{200, "text/html; charset=utf-8", std::string(kIndex)};
     }},
    {"/healthz",
     [](const Sources&) {
       return AdminReply{200, kText, "ok\n"};
     }},
    {"/metrics",
     [](const Sources& sources) {
       return AdminReply{200, "text/plain; version=0.0.4; charset=utf-8",
                         PrometheusText(sources.stats())};
     }},
    {"/readyz",
     [](const Sources& sources) {
       return sources.ready() ? AdminReply{200, kText, "ready\n"}
                              : AdminReply{503, kText, "not ready\n"};
     }},
    {"/stats",
     [](const Sources& sources) {
       return AdminReply{200, "application/json", StatsJson(sources.stats())};
     }},
});

}  // namespace

AdminReply AnswerAdmin(std::string_view method, std::string_view path, const Sources& sources) {
  for (const Page& page : kPages) {
    if (page.path != path) continue;
    if (method == "GET" || method == "HEAD") return page.answer(sources);
    return {405, kText, "GET and HEAD only\n"};
  }
  return {404, kText, "not found; / says what there is\n"};
}

}  // namespace cistern::server
