-- see_sign_in: notes that a console session was used, unless it has ended: a late word brings none back.
-- keys: sign_ins
-- args: digest record
-- answers: seen {} | ended {}
-- uses: view
if redis.call('HEXISTS', sign_ins, args.digest) == 0 then
  return answer('ended')
end
redis.call('HSET', sign_ins, args.digest, args.record)
return answer('seen')
