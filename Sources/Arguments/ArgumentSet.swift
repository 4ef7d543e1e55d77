/// The arguments that one `ParsableArguments` type declares, its option groups included.
struct ArgumentSet {
  private(set) var definitions: [ArgumentDefinition] = []
  /// The values of properties that have no wrapper: they keep what `init()` gave them.
  private(set) var undecorated: [ArgumentKey: Any] = [:]

  /// Finds the wrappers of `type` by reflection on an instance made by `init()`.
  init(_ type: any ParsableArguments.Type) {
    for child in Mirror(reflecting: type.init()).children {
      guard let label = child.label else { continue }
      if let group = child.value as? any OptionGroupWrapper {
        append(group)
      } else if let wrapper = child.value as? any ArgumentWrapper {
        // The storage of a wrapped property `name` is `_name`, its coding key is `name`.
        let property = label.hasPrefix("_") ? String(label.dropFirst()) : label
        definitions += wrapper.definitions(for: ArgumentKey(owner: type, property: property))
      } else {
        undecorated[ArgumentKey(owner: type, property: label)] = child.value
      }
    }
    assert(duplicateNames.isEmpty, "\(type) declares \(duplicateNames) twice")
  }

  private mutating func append(_ group: any OptionGroupWrapper) {
    let set = ArgumentSet(group.groupType)
    undecorated.merge(set.undecorated) { $1 }
    definitions += set.definitions.map { definition in
      var definition = definition
      if definition.sectionTitle.isEmpty { definition.sectionTitle = group.title }
      return definition
    }
  }

  private var duplicateNames: [Name] {
    var seen: Set<Name> = []
    return definitions.flatMap(\.names).filter { !seen.insert($0).inserted }
  }

  var positionals: [ArgumentDefinition] { definitions.filter { $0.kind == .positional } }

  func definition(named name: Name) -> ArgumentDefinition? {
    definitions.first { $0.names.contains(name) }
  }

  func definition(for key: ArgumentKey) -> ArgumentDefinition? {
    definitions.first { $0.key == key }
  }
}
