import Model
import Results
import TestKit
@testable import Engines

extension Fixture {
    /// The contract of the runs in `Fixtures/gem5`, whose script wrote its events to standard output.
    static func contract(
        invocations: Int = 5, l2: String = "1MiB", kernel: String = "/lab/guest/vmlinux", predictor: String? = nil,
        metrics: [String] = ["cpi", "ipc", "l1i.mpki", "l1d.mpki", "l2.mpki", "itlb.mpki"]
    ) -> Gem5Contract {
        var parameters = [
            Gem5Contract.Parameter("board.cache_hierarchy.l2-cache-1", "size", l2),
            Gem5Contract.Parameter("board.workload", "object_file", kernel),
        ]
        if let predictor { parameters.append(.init("board.processor.cores1.core.branchPred", "type", predictor)) }
        return Gem5Contract(
            invocations: invocations, status: "simout.txt", statusPrefix: "event ",
            terminals: ["board.pc.com_1.device"], cores: 2, parameters: parameters, requiredMetrics: metrics)
    }

    static func verdict(
        _ run: String, _ contract: Gem5Contract, failure: FailureClass? = nil, changed: [String: [UInt8]?] = [:]
    ) throws -> Verdict {
        let files = EvidenceFiles { path in
            if let change = changed[path] { return change }
            return try file(run, path)
        }
        return try contract.judge(failure: failure, evidence: "as the agent saw it", files: files)
    }
}

extension Verdict {
    var blocks: Blocks? {
        if case .accepted(let blocks) = self { blocks } else { nil }
    }

    var failure: FailureClass? {
        if case .broken(let failure, _) = self { failure } else { nil }
    }

    var evidence: String {
        if case .broken(_, let evidence) = self { evidence } else { "" }
    }
}
