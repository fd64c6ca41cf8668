/** What packing reads and leaves out of a Node executable. Layouts and values: elf.h; 64 bits, little-endian. */

/** An executable that is not what its builder is known to make. */
export class ElfError extends Error {
  override readonly name = 'ElfError'
}

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2 /* ELFCLASS64 */, 1 /* ELFDATA2LSB */])
/** e_machine */
export const EM_X86_64 = 62
export const EM_AARCH64 = 183
const PT_LOAD = 1
const PT_NOTE = 4
const SHT_NOBITS = 8
const SHF_ALLOC = 2
const NT_GNU_BUILD_ID = 3
/** Offsets in Elf64_Ehdr. */
const E_MACHINE = 18
const E_PHOFF = 32
const E_SHOFF = 40
const E_PHNUM = 56
const E_SHNUM = 60
const E_SHSTRNDX = 62
const PROGRAM_HEADER = 56
const SECTION_HEADER = 64

export interface ElfNote {
  readonly name: string
  readonly type: number
  readonly content: Buffer
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

/** @throws ElfError */
export function machineOf(image: Buffer): number {
  if (!image.subarray(0, MAGIC.length).equals(MAGIC)) throw new ElfError('it is no ELF file of 64 bits, little-endian')
  return image.readUInt16LE(E_MACHINE)
}

/** Hexadecimal; the same for everything that is made of one executable. @throws ElfError */
export function buildIdOf(image: Buffer): string {
  const note = notesOf(image).find(({ name, type }) => name === 'GNU' && type === NT_GNU_BUILD_ID)
  if (note === undefined) throw new ElfError('it has no build id')
  return note.content.toString('hex')
}

export function notesOf(image: Buffer): readonly ElfNote[] {
  return segmentsOf(image)
    .filter(({ type }) => type === PT_NOTE)
    .flatMap(({ offset, size }) => notesIn(image.subarray(offset, offset + size)))
}

/**
 * Whether the kernel can map it with pages of this size, bytes: a page of the file must be a page of memory. Pages of
 * aarch64 have 4, 16 or 64 KiB.
 */
export function fitsPages(image: Buffer, pageSize: number): boolean {
  return segmentsOf(image)
    .filter(({ type }) => type === PT_LOAD)
    .every(({ offset, address }) => offset % pageSize === address % pageSize)
}

/**
 * The executable without symbols and debugging information: nothing of what a process maps, and the table of dynamic
 * symbols stays. It does for every machine what strip(1), which knows only its own, does for one.
 * @throws ElfError when what a process maps does not come first in the file
 */
export function strip(image: Buffer): Buffer {
  machineOf(image)
  const headers = sectionHeaders(image)
  const names = headers[image.readUInt16LE(E_SHSTRNDX)]
  const kept = headers.filter((header, index) => index === 0 || (sectionFlags(header) & SHF_ALLOC) !== 0)
  if (names === undefined || !kept.every((header, index) => header === headers[index])) {
    throw new ElfError('it cannot be stripped: sections that are mapped stand behind others')
  }
  const mapped = Math.max(
    ...segmentsOf(image).map(({ offset, size }) => offset + size),
    ...kept.map((header) => sectionOffset(header) + sectionBytes(header)),
  )
  const namesHeader = Buffer.from(names)
  namesHeader.writeBigUInt64LE(BigInt(mapped), SH_OFFSET)
  const nameBytes = image.subarray(sectionOffset(names), sectionOffset(names) + sectionBytes(names))
  const tableOffset = Math.ceil((mapped + nameBytes.length) / 8) * 8
  const padding = Buffer.alloc(tableOffset - mapped - nameBytes.length)
  const stripped = Buffer.concat([image.subarray(0, mapped), nameBytes, padding, ...kept, namesHeader])
  stripped.writeBigUInt64LE(BigInt(tableOffset), E_SHOFF)
  stripped.writeUInt16LE(kept.length + 1, E_SHNUM)
  stripped.writeUInt16LE(kept.length, E_SHSTRNDX)
  return stripped
}

function segmentsOf(image: Buffer): readonly Segment[] {
  const table = Number(image.readBigUInt64LE(E_PHOFF))
  return Array.from({ length: image.readUInt16LE(E_PHNUM) }, (_, index) => {
    const header = image.subarray(table + index * PROGRAM_HEADER)
    return {
      type: header.readUInt32LE(0),
      offset: Number(header.readBigUInt64LE(8)),
      address: Number(header.readBigUInt64LE(16)),
      size: Number(header.readBigUInt64LE(32)),
    }
  })
}

/** Elf64_Nhdr: lengths of name and content, and the type; both are padded to 4 bytes. */
function notesIn(bytes: Buffer): readonly ElfNote[] {
  const notes: ElfNote[] = []
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameLength = bytes.readUInt32LE(at)
    const contentLength = bytes.readUInt32LE(at + 4)
    const nameAt = at + 12
    const contentAt = nameAt + padded(nameLength)
    notes.push({
      name: bytes.toString('latin1', nameAt, nameAt + Math.max(nameLength - 1, 0)), // it ends with a NUL
      type: bytes.readUInt32LE(at + 8),
      content: bytes.subarray(contentAt, contentAt + contentLength),
    })
    at = contentAt + padded(contentLength)
  }
  return notes
}

const padded = (length: number): number => Math.ceil(length / 4) * 4

/** Offsets in Elf64_Shdr. */
const SH_TYPE = 4
const SH_FLAGS = 8
const SH_OFFSET = 24
const SH_SIZE = 32

function sectionHeaders(image: Buffer): readonly Buffer[] {
  const table = Number(image.readBigUInt64LE(E_SHOFF))
  return Array.from({ length: image.readUInt16LE(E_SHNUM) }, (_, index) => {
    const at = table + index * SECTION_HEADER
    return image.subarray(at, at + SECTION_HEADER)
  })
}

const sectionFlags = (header: Buffer): number => Number(header.readBigUInt64LE(SH_FLAGS))
const sectionOffset = (header: Buffer): number => Number(header.readBigUInt64LE(SH_OFFSET))
/** In the file; .bss has none there. */
const sectionBytes = (header: Buffer): number =>
  header.readUInt32LE(SH_TYPE) === SHT_NOBITS ? 0 : Number(header.readBigUInt64LE(SH_SIZE))
