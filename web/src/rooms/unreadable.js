/** A file that cannot be read; its message is the key of the reason. */
export class UnreadableFile extends Error {}
