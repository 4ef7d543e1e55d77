import FleetPostgres
import Foundation
import Postgres
import Settings

/// What `orderly doctor` finds out about what the user may do: to look takes the services' roles,
/// to change something that of the operators.
enum DoctorOperator {
  /// Nothing where the fleet's database can't be reached, or has not been made: ``DoctorPostgres``
  /// says so.
  static func findings(_ settings: Settings) async -> [DoctorFinding] {
    let role = SchemaDefinition.operatorRole
    guard
      var configuration = try? settings.operatorDatabase(
        role: role, applicationName: "orderly-doctor")
    else { return [] }
    DoctorPostgres.shorten(&configuration)
    do {
      _ = try await withConnection(configuration) { $0.checkAlive() }
      return []
    } catch let error as PostgresError
      where error.operation == .connect && error.sqlState == .insufficientPrivilege
      && error.message.contains(role)
    {
      return [
        .warn(
          "operator",
          "\(configuration.description): this user can look, but not change: it may not act as "
            + "\(role)", advice: "To change something: 'GRANT \(role) TO …' as a superuser.")
      ]
    } catch {
      return []
    }
  }
}
