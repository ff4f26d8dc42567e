/** The whole addon, as TypeScript sees it. Loaded by load.ts only. Every function throws {@link NativeError}. */

/** What the addon throws: a system call that failed. */
export interface NativeError extends Error {
  /** symbolic errno */
  code: string;
  errno: number;
  syscall: string;
}

export interface SpawnRequest {
  file: string;
  args: string[];
  /** Only these reach the helper; Node's own environment does not. */
  env: string[];
  /** child fd -> parent fd; 0, 1 and 2 are /dev/null unless given. Everything else is closed. */
  fds: { child: number; parent: number }[];
}

export interface Native {
  /**
   * Starts a helper with signal dispositions and mask reset. Returns its pid. The helper's monitor detaches itself
   * (double fork), so its first process ends as soon as the monitor runs: reap it with {@link waitPid}.
   */
  spawn(request: SpawnRequest): number;
  /** Resolves with the wait status decoded: exit code, or 128 + signal. Runs on a pool thread. */
  waitPid(pid: number): Promise<number>;
  /** pipe2(O_CLOEXEC): [read end, write end]. */
  pipe(): [number, number];
  /** socketpair(AF_UNIX, SOCK_STREAM, CLOEXEC). */
  socketPair(): [number, number];
  /** connect() to a unix socket of any path length; reached through /proc/self/fd when longer than sun_path. */
  connectUnix(path: string): number;
  close(fd: number): void;
  /**
   * Takes an OFD write lock on one byte of an open file. `wait` blocks on a pool thread until it is free.
   * False if it is taken and `wait` is false. It is released when the fd is closed.
   */
  lock(fd: number, byte: number, wait: boolean): Promise<boolean>;
  /** Shared (read) form of {@link lock}. */
  lockShared(fd: number, byte: number, wait: boolean): Promise<boolean>;
  /** F_OFD_GETLK on each file: true where `byte` is held by somebody. Never takes it. A missing file reads false. */
  probeLocks(paths: string[], byte: number): boolean[];
  /** syncfs(2) of the file system that holds `path`, on a pool thread. */
  syncfs(path: string): Promise<void>;
  /**
   * FS_TOPDIR_FL: ext4 then places each directory that is made in `path` in another part of the disk, as it does at its top.
   * False where the file system has no such flag.
   */
  spreadDirectories(path: string): boolean;
  /** renameat2(RENAME_NOREPLACE). EEXIST if the target exists. */
  renameNoReplace(from: string, to: string): void;
  /** Terminal size of an fd. */
  windowSize(fd: number): { rows: number; cols: number };
  /** cfmakeraw on a terminal; returns an opaque copy of the old settings for {@link restoreTerminal}. */
  makeRaw(fd: number): Uint8Array;
  restoreTerminal(fd: number, saved: Uint8Array): void;
  /**
   * _exit(2), with the flags of fds 0 to 2 as they were when the addon was loaded. `process.exit` joins Node's threads: one
   * that writes to a terminal which nobody reads, or that compiles while the heap is full, keeps it for ever.
   */
  exitNow(code: number): never;
  /** Clears O_NONBLOCK: Node sets it on pipes that other programs share. */
  setBlocking(fd: number): void;
}
