// The conformances are as visible as their protocol and their types, which takes public imports.
public import Arguments
public import Fleet

extension DeadLetter.State: ExpressibleByArgument {}
extension ParkedKey.State: ExpressibleByArgument {}
