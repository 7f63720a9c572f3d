import Model
import Results

extension Contract {
    /// Reads what the contract needs to see, and judges it.
    func verdict(_ report: AttemptReport, _ read: (String) throws -> [UInt8]?) throws -> EngineVerdict {
        let artifacts = try neededFiles.compactMap { path in
            try read(path).map { NamedBytes(path: path, bytes: $0) }
        }
        switch Judgement.judge(contract: self, artifacts: artifacts, listing: report.artifacts) {
        case .accepted(let blocks): return EngineVerdict(failure: nil, blocks: blocks.json)
        case .broken(let failure, let evidence): return EngineVerdict(failure: failure, evidence: evidence)
        }
    }
}
