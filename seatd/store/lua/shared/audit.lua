-- audit: what an administrator changes is written together with its entry, or not at all. Each entry has a hash over itself and the
-- entry before it, which the caller has made: so the entry belongs behind the one that he took for the last (`audit.head`), and
-- whatever he decided was decided with that before his eyes. If another has come between, he must look again.
-- keys: none (the trail is given)

local function is_stale(key)
  if not args.audit then
    return false
  end
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return (last and last[2][4] or '') ~= args.audit.head
end

local function note_change(key)
  if args.audit then
    redis.call('XADD', key, '*', 'entry', args.audit.entry, 'hash', args.audit.hash)
  end
end
