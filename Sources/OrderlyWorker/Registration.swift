import Postgres

struct Registration: Sendable {
  let name: String, host: String
  let services: [AssembledService]
  let pool: Pool
  func keep(address: String) async {}
  func remove() async {}
}
