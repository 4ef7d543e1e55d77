// The conformance is as visible as its protocol and its type, which takes public imports.
public import Arguments
public import Contracts

extension EventType: ExpressibleByArgument {}
