import Model
import Results

extension Contract {
    /// Holds what an attempt left against the contract.
    func verdict(_ files: EvidenceFiles) throws -> EngineVerdict {
        switch try Judgement.judge(contract: self, files: files) {
        case .accepted(let blocks): return EngineVerdict(failure: nil, blocks: blocks.text)
        case .broken(let failure, let evidence): return EngineVerdict(failure: failure, evidence: evidence)
        }
    }
}
