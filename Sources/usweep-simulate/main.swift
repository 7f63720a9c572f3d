import Simulation

let trace = Trace(isOn: true)
let prepared = try Prepared(.calm)
let simulation = Simulation(prepared, seed: 1, trace: trace)
let outcome = simulation.run()
for line in trace.lines { print(line) }
print(outcome)
