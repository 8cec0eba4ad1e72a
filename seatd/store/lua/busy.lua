-- busy: a call begins or ends in a session. `licenses`: those of its seats that somebody must look after, now that it is over.
-- keys: meta nodes by_node deadlines orders tombs licenses withdrawn expiries seats sessions by_user queue events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence busy
-- answers: noted {licenses} | gone {reason}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses policies
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
record.busy = args.busy or nil
save(args.session, record)
local pressed = {}
for _, seat in ipairs(args.busy and {} or record.seats) do
  local standing = known(seat.license)
  local ends = standing and (standing.removed_ms or wall_ms >= standing.valid_till_ms or standing.narrowed_ms or standing.lowered_ms)
  if ends then
    pressed[#pressed + 1] = seat.license
  end
end
return answer('noted', {licenses = pressed})
