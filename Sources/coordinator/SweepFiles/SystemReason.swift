import Foundation

/// Why Foundation could not do something with a file, as the system says it: Foundation's own texts may name no more
/// than a domain and a number.
public enum SystemReason {
    public static func of(_ error: any Error) -> String {
        let error = error as NSError
        let beneath = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
        for case let found? in [beneath, error] where found.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(truncatingIfNeeded: found.code)))
        }
        return error.localizedDescription
    }

    /// nil: nothing that Foundation tells of files or of the system.
    public static func ofFiles(_ error: any Error) -> String? {
        let error = error as NSError
        guard [NSCocoaErrorDomain, NSPOSIXErrorDomain].contains(error.domain) else { return nil }
        return [error.userInfo[NSFilePathErrorKey] as? String, of(error)].compactMap { $0 }.joined(separator: ": ")
    }
}
