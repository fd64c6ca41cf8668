/** What has a key in common. */

export class Groups<Key, Member> {
  readonly #members = new Map<Key, Set<Member>>()

  add(key: Key, member: Member): void {
    const group = this.#members.get(key)
    if (group === undefined) this.#members.set(key, new Set([member]))
    else group.add(member)
  }

  /** One that is not in the group is fine. */
  delete(key: Key, member: Member): void {
    const group = this.#members.get(key)
    group?.delete(member)
    if (group?.size === 0) this.#members.delete(key)
  }

  /** From one group to another; `undefined` is none. A member that stays where it is keeps its place in the order. */
  move(member: Member, from: Key | undefined, to: Key | undefined): void {
    if (from === to) return
    if (from !== undefined) this.delete(from, member)
    if (to !== undefined) this.add(to, member)
  }

  /** In the order in which they came. */
  of(key: Key): readonly Member[] {
    return [...(this.#members.get(key) ?? [])]
  }
}
