/// File systems that other machines may share, on which locks and sockets of another machine may look like one's own.
public enum NetworkFileSystem {
    /// What people call it; nil: it is none that is known to be shared. FUSE is not among them: it may be anything.
    ///
    /// - Parameter type: `f_type` of statfs(2), as in linux/magic.h, and of those outside the kernel as in coreutils.
    public static func name(ofType type: UInt64) -> String? {
        switch type {
        case 0x6969: "NFS"
        case 0xff53_4d42, 0xfe53_4d42, 0x517b: "SMB"
        case 0x5346_414f, 0x6b41_4653: "AFS"
        case 0x00c3_6400: "Ceph"
        case 0x0bd0_0bd0: "Lustre"
        case 0x4750_4653: "GPFS"
        case 0x1983_0326: "BeeGFS"
        case 0xaad7_aaea: "PanFS"
        case 0x7461_636f: "OCFS2"
        case 0x0116_1970: "GFS2"
        case 0x7375_7245: "Coda"
        case 0x0102_1997: "9P"
        default: nil
        }
    }
}
