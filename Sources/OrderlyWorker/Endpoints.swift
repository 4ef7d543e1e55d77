import Contracts
import Fleet
import HTTPServer
import Telemetry

/// What the worker serves: whether it lives, whether it works, and what it measures.
struct Endpoints {
  let services: [AssembledService]
  let registry: PrometheusRegistry

  var router: HTTPRouter {
    var router = HTTPRouter()
    // Answers as long as the process can answer: a database that is down is no reason to be
    // restarted.
    router.get("/livez") { _ in .text("ok\n") }
    router.get("/readyz") { [services] _ in
      let problems = services.flatMap(\.problems)
      let limitations = services.flatMap(\.limitations)
      return problems.isEmpty
        ? .text((["ok"] + limitations).joined(separator: "\n") + "\n")
        : .text((problems + limitations).joined(separator: "\n") + "\n", status: 503)
    }
    router.get("/metrics") { [registry] _ in
      .text(registry.render(), contentType: PrometheusRegistry.contentType)
    }
    return router
  }
}
