import AgentRuntime
import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
if let verb = arguments.first.flatMap({ EngineVerbs.all[$0] }) { exit(verb(Array(arguments.dropFirst()))) }
exit(AgentProgram.main(arguments))
