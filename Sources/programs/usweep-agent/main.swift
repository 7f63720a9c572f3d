import AgentRuntime
import Glibc
import QEMUDriver

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "qemu" { exit(QEMUDriver.main(Array(arguments.dropFirst()))) }
if arguments.first == "gem5" { exit(Gem5Question.main(Array(arguments.dropFirst()))) }
exit(AgentProgram.main(arguments))
