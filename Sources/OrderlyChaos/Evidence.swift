import FleetProcesses
import Foundation

/// The files that a fault leaves: what was done and when, and what every process has said.
struct Evidence {
  let folder: URL
  let scene: Scene

  func write(serverLog: URL) async {
    let actions = scene.actions.map { action in
      "\(action.time.ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true)))"
        + " \(action.isInjection ? "inject" : "note  ") \(action.what)\n"
    }
    save(actions.joined(), "actions.log")
    for worker in scene.fleet.workers {
      save(worker.program.errorLines.map { $0 + "\n" }.joined(), "\(worker.name).log")
    }
    let log = (try? String(contentsOf: serverLog, encoding: .utf8)) ?? ""
    save(log, "postgres.log")
  }

  private func save(_ text: String, _ name: String) {
    // The verdict stands without them.
    try? Data(text.utf8).write(to: folder.appending(path: name))
  }
}
