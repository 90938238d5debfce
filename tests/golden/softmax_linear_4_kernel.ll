define  void @loops_d36b26065c1f8323(ptr %table, ptr %params, i64 %begin, i64 %end, ptr %scratch) nounwind {
entry:
  %slot4 = alloca i64
  %slot7 = alloca <8 x float>
  %slot8 = alloca <8 x float>
  %slot9 = alloca <8 x float>
  %slot10 = alloca <8 x float>
  %slot20 = alloca i64
  %slot76 = alloca i64
  %slot112 = alloca <8 x float>
  %slot113 = alloca <8 x float>
  %slot114 = alloca <8 x float>
  %slot115 = alloca <8 x float>
  %slot123 = alloca i64
  %slot293 = alloca i64
  %slot367 = alloca i64
  %slot549 = alloca i64
  %v11 = getelementptr inbounds i64, ptr %params, i64 0
  %v12 = load i64, ptr %v11, align 8
  %v26 = getelementptr inbounds i64, ptr %params, i64 1
  %v27 = load i64, ptr %v26, align 8
  %v28 = getelementptr inbounds ptr, ptr %table, i64 %v27
  %v29 = load ptr, ptr %v28, align 8
  %v30 = getelementptr inbounds i64, ptr %params, i64 2
  %v31 = load i64, ptr %v30, align 8
  %v36 = getelementptr inbounds i64, ptr %params, i64 3
  %v37 = load i64, ptr %v36, align 8
  %v38 = getelementptr inbounds ptr, ptr %table, i64 %v37
  %v39 = load ptr, ptr %v38, align 8
  %v414 = getelementptr inbounds i64, ptr %params, i64 4
  %v415 = load i64, ptr %v414, align 8
  %v416 = getelementptr inbounds ptr, ptr %table, i64 %v415
  %v417 = load ptr, ptr %v416, align 8
  store i64 %begin, ptr %slot4
  br label %loop1
loop1:
  %v5 = load i64, ptr %slot4
  %v6 = icmp slt i64 %v5, %end
  br i1 %v6, label %body2, label %done3
body2:
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot7
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot8
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot9
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot10
  %v13 = sub i64 %v12, 0
  %v14 = urem i64 %v13, 32
  %v15 = sub i64 %v13, %v14
  %v16 = add i64 0, %v15
  store i64 0, ptr %slot20
  br label %loop17
loop17:
  %v21 = load i64, ptr %slot20
  %v22 = icmp slt i64 %v21, %v16
  br i1 %v22, label %body18, label %done19
body18:
  %v23 = add i64 %v21, 8
  %v24 = add i64 %v21, 16
  %v25 = add i64 %v21, 24
  %v32 = mul nsw i64 %v5, %v31
  %v33 = add nsw i64 %v21, %v32
  %v34 = getelementptr inbounds float, ptr %v29, i64 %v33
  %v35 = load <8 x float>, ptr %v34, align 4
  %v40 = getelementptr inbounds float, ptr %v39, i64 %v21
  %v41 = load <8 x float>, ptr %v40, align 4
  %v42 = fadd contract <8 x float> %v35, %v41
  %v43 = load <8 x float>, ptr %slot7
  %v44 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v43, <8 x float> %v42)
  store <8 x float> %v44, ptr %slot7
  %v45 = mul nsw i64 %v5, %v31
  %v46 = add nsw i64 %v23, %v45
  %v47 = getelementptr inbounds float, ptr %v29, i64 %v46
  %v48 = load <8 x float>, ptr %v47, align 4
  %v49 = getelementptr inbounds float, ptr %v39, i64 %v23
  %v50 = load <8 x float>, ptr %v49, align 4
  %v51 = fadd contract <8 x float> %v48, %v50
  %v52 = load <8 x float>, ptr %slot8
  %v53 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v52, <8 x float> %v51)
  store <8 x float> %v53, ptr %slot8
  %v54 = mul nsw i64 %v5, %v31
  %v55 = add nsw i64 %v24, %v54
  %v56 = getelementptr inbounds float, ptr %v29, i64 %v55
  %v57 = load <8 x float>, ptr %v56, align 4
  %v58 = getelementptr inbounds float, ptr %v39, i64 %v24
  %v59 = load <8 x float>, ptr %v58, align 4
  %v60 = fadd contract <8 x float> %v57, %v59
  %v61 = load <8 x float>, ptr %slot9
  %v62 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v61, <8 x float> %v60)
  store <8 x float> %v62, ptr %slot9
  %v63 = mul nsw i64 %v5, %v31
  %v64 = add nsw i64 %v25, %v63
  %v65 = getelementptr inbounds float, ptr %v29, i64 %v64
  %v66 = load <8 x float>, ptr %v65, align 4
  %v67 = getelementptr inbounds float, ptr %v39, i64 %v25
  %v68 = load <8 x float>, ptr %v67, align 4
  %v69 = fadd contract <8 x float> %v66, %v68
  %v70 = load <8 x float>, ptr %slot10
  %v71 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v70, <8 x float> %v69)
  store <8 x float> %v71, ptr %slot10
  %v72 = add nsw i64 %v21, 32
  store i64 %v72, ptr %slot20
  br label %loop17
done19:
  store i64 %v16, ptr %slot76
  br label %loop73
loop73:
  %v77 = load i64, ptr %slot76
  %v78 = icmp slt i64 %v77, %v12
  br i1 %v78, label %body74, label %done75
body74:
  %v79 = sub i64 %v12, %v77
  %v80 = trunc i64 %v79 to i32
  %v81 = insertelement <8 x i32> poison, i32 %v80, i64 0
  %v82 = shufflevector <8 x i32> %v81, <8 x i32> poison, <8 x i32> zeroinitializer
  %v83 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v82
  %v84 = mul nsw i64 %v5, %v31
  %v85 = add nsw i64 %v77, %v84
  %v86 = getelementptr inbounds float, ptr %v29, i64 %v85
  %v87 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v86, i32 4, <8 x i1> %v83, <8 x float> splat (float 0x0000000000000000))
  %v88 = getelementptr inbounds float, ptr %v39, i64 %v77
  %v89 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v88, i32 4, <8 x i1> %v83, <8 x float> splat (float 0x0000000000000000))
  %v90 = fadd contract <8 x float> %v87, %v89
  %v91 = select <8 x i1> %v83, <8 x float> %v90, <8 x float> splat (float 0xFFF0000000000000)
  %v92 = load <8 x float>, ptr %slot7
  %v93 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v92, <8 x float> %v91)
  store <8 x float> %v93, ptr %slot7
  %v94 = add nsw i64 %v77, 8
  store i64 %v94, ptr %slot76
  br label %loop73
done75:
  %v95 = load <8 x float>, ptr %slot7
  %v96 = load <8 x float>, ptr %slot8
  %v97 = load <8 x float>, ptr %slot9
  %v98 = load <8 x float>, ptr %slot10
  %v99 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v95, <8 x float> %v96)
  %v100 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v97, <8 x float> %v98)
  %v101 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v99, <8 x float> %v100)
  %v102 = shufflevector <8 x float> %v101, <8 x float> %v101, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v103 = shufflevector <8 x float> %v101, <8 x float> %v101, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v104 = call <4 x float> @llvm.maximum.v4f32(<4 x float> %v102, <4 x float> %v103)
  %v105 = shufflevector <4 x float> %v104, <4 x float> %v104, <2 x i32> <i32 0, i32 1>
  %v106 = shufflevector <4 x float> %v104, <4 x float> %v104, <2 x i32> <i32 2, i32 3>
  %v107 = call <2 x float> @llvm.maximum.v2f32(<2 x float> %v105, <2 x float> %v106)
  %v108 = shufflevector <2 x float> %v107, <2 x float> %v107, <1 x i32> <i32 0>
  %v109 = shufflevector <2 x float> %v107, <2 x float> %v107, <1 x i32> <i32 1>
  %v110 = call <1 x float> @llvm.maximum.v1f32(<1 x float> %v108, <1 x float> %v109)
  %v111 = extractelement <1 x float> %v110, i64 0
  store <8 x float> splat (float 0x0000000000000000), ptr %slot112
  store <8 x float> splat (float 0x0000000000000000), ptr %slot113
  store <8 x float> splat (float 0x0000000000000000), ptr %slot114
  store <8 x float> splat (float 0x0000000000000000), ptr %slot115
  %v116 = sub i64 %v12, 0
  %v117 = urem i64 %v116, 32
  %v118 = sub i64 %v116, %v117
  %v119 = add i64 0, %v118
  store i64 0, ptr %slot123
  br label %loop120
loop120:
  %v124 = load i64, ptr %slot123
  %v125 = icmp slt i64 %v124, %v119
  br i1 %v125, label %body121, label %done122
body121:
  %v126 = add i64 %v124, 8
  %v127 = add i64 %v124, 16
  %v128 = add i64 %v124, 24
  %v129 = mul nsw i64 %v5, %v31
  %v130 = add nsw i64 %v124, %v129
  %v131 = getelementptr inbounds float, ptr %v29, i64 %v130
  %v132 = load <8 x float>, ptr %v131, align 4
  %v133 = getelementptr inbounds float, ptr %v39, i64 %v124
  %v134 = load <8 x float>, ptr %v133, align 4
  %v135 = fadd contract <8 x float> %v132, %v134
  %v136 = insertelement <8 x float> poison, float %v111, i64 0
  %v137 = shufflevector <8 x float> %v136, <8 x float> poison, <8 x i32> zeroinitializer
  %v138 = fsub contract <8 x float> %v135, %v137
  %v139 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v138
  %v140 = select <8 x i1> %v139, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v138
  %v141 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v140
  %v142 = select <8 x i1> %v141, <8 x float> splat (float 0x4056400000000000), <8 x float> %v140
  %v143 = fmul <8 x float> %v142, splat (float 0x3FF7154760000000)
  %v144 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v143)
  %v145 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v144, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v142)
  %v146 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v144, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v145)
  %v147 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v146, <8 x float> splat (float 0x3F81227760000000))
  %v148 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v147, <8 x float> %v146, <8 x float> splat (float 0x3FA5556740000000))
  %v149 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v148, <8 x float> %v146, <8 x float> splat (float 0x3FC5554B00000000))
  %v150 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v149, <8 x float> %v146, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v151 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v150, <8 x float> %v146, <8 x float> splat (float 0x3FF0000000000000))
  %v152 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v151, <8 x float> %v146, <8 x float> splat (float 0x3FF0000000000000))
  %v153 = fadd <8 x float> %v144, splat (float 0x4168000000000000)
  %v154 = bitcast <8 x float> %v153 to <8 x i32>
  %v155 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v156 = sub <8 x i32> %v154, %v155
  %v157 = ashr <8 x i32> %v156, splat (i32 1)
  %v158 = add <8 x i32> %v157, splat (i32 127)
  %v159 = shl <8 x i32> %v158, splat (i32 23)
  %v160 = bitcast <8 x i32> %v159 to <8 x float>
  %v161 = fmul <8 x float> %v152, %v160
  %v162 = sub <8 x i32> %v156, %v157
  %v163 = add <8 x i32> %v162, splat (i32 127)
  %v164 = shl <8 x i32> %v163, splat (i32 23)
  %v165 = bitcast <8 x i32> %v164 to <8 x float>
  %v166 = fmul <8 x float> %v161, %v165
  %v167 = load <8 x float>, ptr %slot112
  %v168 = fadd contract <8 x float> %v167, %v166
  store <8 x float> %v168, ptr %slot112
  %v169 = mul nsw i64 %v5, %v31
  %v170 = add nsw i64 %v126, %v169
  %v171 = getelementptr inbounds float, ptr %v29, i64 %v170
  %v172 = load <8 x float>, ptr %v171, align 4
  %v173 = getelementptr inbounds float, ptr %v39, i64 %v126
  %v174 = load <8 x float>, ptr %v173, align 4
  %v175 = fadd contract <8 x float> %v172, %v174
  %v176 = insertelement <8 x float> poison, float %v111, i64 0
  %v177 = shufflevector <8 x float> %v176, <8 x float> poison, <8 x i32> zeroinitializer
  %v178 = fsub contract <8 x float> %v175, %v177
  %v179 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v178
  %v180 = select <8 x i1> %v179, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v178
  %v181 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v180
  %v182 = select <8 x i1> %v181, <8 x float> splat (float 0x4056400000000000), <8 x float> %v180
  %v183 = fmul <8 x float> %v182, splat (float 0x3FF7154760000000)
  %v184 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v183)
  %v185 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v184, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v182)
  %v186 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v184, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v185)
  %v187 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v186, <8 x float> splat (float 0x3F81227760000000))
  %v188 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v187, <8 x float> %v186, <8 x float> splat (float 0x3FA5556740000000))
  %v189 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v188, <8 x float> %v186, <8 x float> splat (float 0x3FC5554B00000000))
  %v190 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v189, <8 x float> %v186, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v191 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v190, <8 x float> %v186, <8 x float> splat (float 0x3FF0000000000000))
  %v192 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v191, <8 x float> %v186, <8 x float> splat (float 0x3FF0000000000000))
  %v193 = fadd <8 x float> %v184, splat (float 0x4168000000000000)
  %v194 = bitcast <8 x float> %v193 to <8 x i32>
  %v195 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v196 = sub <8 x i32> %v194, %v195
  %v197 = ashr <8 x i32> %v196, splat (i32 1)
  %v198 = add <8 x i32> %v197, splat (i32 127)
  %v199 = shl <8 x i32> %v198, splat (i32 23)
  %v200 = bitcast <8 x i32> %v199 to <8 x float>
  %v201 = fmul <8 x float> %v192, %v200
  %v202 = sub <8 x i32> %v196, %v197
  %v203 = add <8 x i32> %v202, splat (i32 127)
  %v204 = shl <8 x i32> %v203, splat (i32 23)
  %v205 = bitcast <8 x i32> %v204 to <8 x float>
  %v206 = fmul <8 x float> %v201, %v205
  %v207 = load <8 x float>, ptr %slot113
  %v208 = fadd contract <8 x float> %v207, %v206
  store <8 x float> %v208, ptr %slot113
  %v209 = mul nsw i64 %v5, %v31
  %v210 = add nsw i64 %v127, %v209
  %v211 = getelementptr inbounds float, ptr %v29, i64 %v210
  %v212 = load <8 x float>, ptr %v211, align 4
  %v213 = getelementptr inbounds float, ptr %v39, i64 %v127
  %v214 = load <8 x float>, ptr %v213, align 4
  %v215 = fadd contract <8 x float> %v212, %v214
  %v216 = insertelement <8 x float> poison, float %v111, i64 0
  %v217 = shufflevector <8 x float> %v216, <8 x float> poison, <8 x i32> zeroinitializer
  %v218 = fsub contract <8 x float> %v215, %v217
  %v219 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v218
  %v220 = select <8 x i1> %v219, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v218
  %v221 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v220
  %v222 = select <8 x i1> %v221, <8 x float> splat (float 0x4056400000000000), <8 x float> %v220
  %v223 = fmul <8 x float> %v222, splat (float 0x3FF7154760000000)
  %v224 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v223)
  %v225 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v224, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v222)
  %v226 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v224, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v225)
  %v227 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v226, <8 x float> splat (float 0x3F81227760000000))
  %v228 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v227, <8 x float> %v226, <8 x float> splat (float 0x3FA5556740000000))
  %v229 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v228, <8 x float> %v226, <8 x float> splat (float 0x3FC5554B00000000))
  %v230 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v229, <8 x float> %v226, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v231 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v230, <8 x float> %v226, <8 x float> splat (float 0x3FF0000000000000))
  %v232 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v231, <8 x float> %v226, <8 x float> splat (float 0x3FF0000000000000))
  %v233 = fadd <8 x float> %v224, splat (float 0x4168000000000000)
  %v234 = bitcast <8 x float> %v233 to <8 x i32>
  %v235 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v236 = sub <8 x i32> %v234, %v235
  %v237 = ashr <8 x i32> %v236, splat (i32 1)
  %v238 = add <8 x i32> %v237, splat (i32 127)
  %v239 = shl <8 x i32> %v238, splat (i32 23)
  %v240 = bitcast <8 x i32> %v239 to <8 x float>
  %v241 = fmul <8 x float> %v232, %v240
  %v242 = sub <8 x i32> %v236, %v237
  %v243 = add <8 x i32> %v242, splat (i32 127)
  %v244 = shl <8 x i32> %v243, splat (i32 23)
  %v245 = bitcast <8 x i32> %v244 to <8 x float>
  %v246 = fmul <8 x float> %v241, %v245
  %v247 = load <8 x float>, ptr %slot114
  %v248 = fadd contract <8 x float> %v247, %v246
  store <8 x float> %v248, ptr %slot114
  %v249 = mul nsw i64 %v5, %v31
  %v250 = add nsw i64 %v128, %v249
  %v251 = getelementptr inbounds float, ptr %v29, i64 %v250
  %v252 = load <8 x float>, ptr %v251, align 4
  %v253 = getelementptr inbounds float, ptr %v39, i64 %v128
  %v254 = load <8 x float>, ptr %v253, align 4
  %v255 = fadd contract <8 x float> %v252, %v254
  %v256 = insertelement <8 x float> poison, float %v111, i64 0
  %v257 = shufflevector <8 x float> %v256, <8 x float> poison, <8 x i32> zeroinitializer
  %v258 = fsub contract <8 x float> %v255, %v257
  %v259 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v258
  %v260 = select <8 x i1> %v259, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v258
  %v261 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v260
  %v262 = select <8 x i1> %v261, <8 x float> splat (float 0x4056400000000000), <8 x float> %v260
  %v263 = fmul <8 x float> %v262, splat (float 0x3FF7154760000000)
  %v264 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v263)
  %v265 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v264, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v262)
  %v266 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v264, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v265)
  %v267 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v266, <8 x float> splat (float 0x3F81227760000000))
  %v268 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v267, <8 x float> %v266, <8 x float> splat (float 0x3FA5556740000000))
  %v269 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v268, <8 x float> %v266, <8 x float> splat (float 0x3FC5554B00000000))
  %v270 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v269, <8 x float> %v266, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v271 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v270, <8 x float> %v266, <8 x float> splat (float 0x3FF0000000000000))
  %v272 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v271, <8 x float> %v266, <8 x float> splat (float 0x3FF0000000000000))
  %v273 = fadd <8 x float> %v264, splat (float 0x4168000000000000)
  %v274 = bitcast <8 x float> %v273 to <8 x i32>
  %v275 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v276 = sub <8 x i32> %v274, %v275
  %v277 = ashr <8 x i32> %v276, splat (i32 1)
  %v278 = add <8 x i32> %v277, splat (i32 127)
  %v279 = shl <8 x i32> %v278, splat (i32 23)
  %v280 = bitcast <8 x i32> %v279 to <8 x float>
  %v281 = fmul <8 x float> %v272, %v280
  %v282 = sub <8 x i32> %v276, %v277
  %v283 = add <8 x i32> %v282, splat (i32 127)
  %v284 = shl <8 x i32> %v283, splat (i32 23)
  %v285 = bitcast <8 x i32> %v284 to <8 x float>
  %v286 = fmul <8 x float> %v281, %v285
  %v287 = load <8 x float>, ptr %slot115
  %v288 = fadd contract <8 x float> %v287, %v286
  store <8 x float> %v288, ptr %slot115
  %v289 = add nsw i64 %v124, 32
  store i64 %v289, ptr %slot123
  br label %loop120
done122:
  store i64 %v119, ptr %slot293
  br label %loop290
loop290:
  %v294 = load i64, ptr %slot293
  %v295 = icmp slt i64 %v294, %v12
  br i1 %v295, label %body291, label %done292
body291:
  %v296 = sub i64 %v12, %v294
  %v297 = trunc i64 %v296 to i32
  %v298 = insertelement <8 x i32> poison, i32 %v297, i64 0
  %v299 = shufflevector <8 x i32> %v298, <8 x i32> poison, <8 x i32> zeroinitializer
  %v300 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v299
  %v301 = mul nsw i64 %v5, %v31
  %v302 = add nsw i64 %v294, %v301
  %v303 = getelementptr inbounds float, ptr %v29, i64 %v302
  %v304 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v303, i32 4, <8 x i1> %v300, <8 x float> splat (float 0x0000000000000000))
  %v305 = getelementptr inbounds float, ptr %v39, i64 %v294
  %v306 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v305, i32 4, <8 x i1> %v300, <8 x float> splat (float 0x0000000000000000))
  %v307 = fadd contract <8 x float> %v304, %v306
  %v308 = insertelement <8 x float> poison, float %v111, i64 0
  %v309 = shufflevector <8 x float> %v308, <8 x float> poison, <8 x i32> zeroinitializer
  %v310 = fsub contract <8 x float> %v307, %v309
  %v311 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v310
  %v312 = select <8 x i1> %v311, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v310
  %v313 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v312
  %v314 = select <8 x i1> %v313, <8 x float> splat (float 0x4056400000000000), <8 x float> %v312
  %v315 = fmul <8 x float> %v314, splat (float 0x3FF7154760000000)
  %v316 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v315)
  %v317 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v316, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v314)
  %v318 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v316, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v317)
  %v319 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v318, <8 x float> splat (float 0x3F81227760000000))
  %v320 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v319, <8 x float> %v318, <8 x float> splat (float 0x3FA5556740000000))
  %v321 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v320, <8 x float> %v318, <8 x float> splat (float 0x3FC5554B00000000))
  %v322 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v321, <8 x float> %v318, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v323 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v322, <8 x float> %v318, <8 x float> splat (float 0x3FF0000000000000))
  %v324 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v323, <8 x float> %v318, <8 x float> splat (float 0x3FF0000000000000))
  %v325 = fadd <8 x float> %v316, splat (float 0x4168000000000000)
  %v326 = bitcast <8 x float> %v325 to <8 x i32>
  %v327 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v328 = sub <8 x i32> %v326, %v327
  %v329 = ashr <8 x i32> %v328, splat (i32 1)
  %v330 = add <8 x i32> %v329, splat (i32 127)
  %v331 = shl <8 x i32> %v330, splat (i32 23)
  %v332 = bitcast <8 x i32> %v331 to <8 x float>
  %v333 = fmul <8 x float> %v324, %v332
  %v334 = sub <8 x i32> %v328, %v329
  %v335 = add <8 x i32> %v334, splat (i32 127)
  %v336 = shl <8 x i32> %v335, splat (i32 23)
  %v337 = bitcast <8 x i32> %v336 to <8 x float>
  %v338 = fmul <8 x float> %v333, %v337
  %v339 = select <8 x i1> %v300, <8 x float> %v338, <8 x float> splat (float 0x0000000000000000)
  %v340 = load <8 x float>, ptr %slot112
  %v341 = fadd contract <8 x float> %v340, %v339
  store <8 x float> %v341, ptr %slot112
  %v342 = add nsw i64 %v294, 8
  store i64 %v342, ptr %slot293
  br label %loop290
done292:
  %v343 = load <8 x float>, ptr %slot112
  %v344 = load <8 x float>, ptr %slot113
  %v345 = load <8 x float>, ptr %slot114
  %v346 = load <8 x float>, ptr %slot115
  %v347 = fadd contract <8 x float> %v343, %v344
  %v348 = fadd contract <8 x float> %v345, %v346
  %v349 = fadd contract <8 x float> %v347, %v348
  %v350 = shufflevector <8 x float> %v349, <8 x float> %v349, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v351 = shufflevector <8 x float> %v349, <8 x float> %v349, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v352 = fadd contract <4 x float> %v350, %v351
  %v353 = shufflevector <4 x float> %v352, <4 x float> %v352, <2 x i32> <i32 0, i32 1>
  %v354 = shufflevector <4 x float> %v352, <4 x float> %v352, <2 x i32> <i32 2, i32 3>
  %v355 = fadd contract <2 x float> %v353, %v354
  %v356 = shufflevector <2 x float> %v355, <2 x float> %v355, <1 x i32> <i32 0>
  %v357 = shufflevector <2 x float> %v355, <2 x float> %v355, <1 x i32> <i32 1>
  %v358 = fadd contract <1 x float> %v356, %v357
  %v359 = extractelement <1 x float> %v358, i64 0
  %v360 = sub i64 %v12, 0
  %v361 = urem i64 %v360, 32
  %v362 = sub i64 %v360, %v361
  %v363 = add i64 0, %v362
  store i64 0, ptr %slot367
  br label %loop364
loop364:
  %v368 = load i64, ptr %slot367
  %v369 = icmp slt i64 %v368, %v363
  br i1 %v369, label %body365, label %done366
body365:
  %v370 = add i64 %v368, 8
  %v371 = add i64 %v368, 16
  %v372 = add i64 %v368, 24
  %v373 = mul nsw i64 %v5, %v31
  %v374 = add nsw i64 %v368, %v373
  %v375 = getelementptr inbounds float, ptr %v29, i64 %v374
  %v376 = load <8 x float>, ptr %v375, align 4
  %v377 = getelementptr inbounds float, ptr %v39, i64 %v368
  %v378 = load <8 x float>, ptr %v377, align 4
  %v379 = fadd contract <8 x float> %v376, %v378
  %v380 = insertelement <8 x float> poison, float %v111, i64 0
  %v381 = shufflevector <8 x float> %v380, <8 x float> poison, <8 x i32> zeroinitializer
  %v382 = fsub contract <8 x float> %v379, %v381
  %v383 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v382
  %v384 = select <8 x i1> %v383, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v382
  %v385 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v384
  %v386 = select <8 x i1> %v385, <8 x float> splat (float 0x4056400000000000), <8 x float> %v384
  %v387 = fmul <8 x float> %v386, splat (float 0x3FF7154760000000)
  %v388 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v387)
  %v389 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v388, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v386)
  %v390 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v388, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v389)
  %v391 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v390, <8 x float> splat (float 0x3F81227760000000))
  %v392 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v391, <8 x float> %v390, <8 x float> splat (float 0x3FA5556740000000))
  %v393 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v392, <8 x float> %v390, <8 x float> splat (float 0x3FC5554B00000000))
  %v394 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v393, <8 x float> %v390, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v395 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v394, <8 x float> %v390, <8 x float> splat (float 0x3FF0000000000000))
  %v396 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v395, <8 x float> %v390, <8 x float> splat (float 0x3FF0000000000000))
  %v397 = fadd <8 x float> %v388, splat (float 0x4168000000000000)
  %v398 = bitcast <8 x float> %v397 to <8 x i32>
  %v399 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v400 = sub <8 x i32> %v398, %v399
  %v401 = ashr <8 x i32> %v400, splat (i32 1)
  %v402 = add <8 x i32> %v401, splat (i32 127)
  %v403 = shl <8 x i32> %v402, splat (i32 23)
  %v404 = bitcast <8 x i32> %v403 to <8 x float>
  %v405 = fmul <8 x float> %v396, %v404
  %v406 = sub <8 x i32> %v400, %v401
  %v407 = add <8 x i32> %v406, splat (i32 127)
  %v408 = shl <8 x i32> %v407, splat (i32 23)
  %v409 = bitcast <8 x i32> %v408 to <8 x float>
  %v410 = fmul <8 x float> %v405, %v409
  %v411 = insertelement <8 x float> poison, float %v359, i64 0
  %v412 = shufflevector <8 x float> %v411, <8 x float> poison, <8 x i32> zeroinitializer
  %v413 = fdiv <8 x float> %v410, %v412
  %v418 = getelementptr inbounds float, ptr %v417, i64 %v374
  store <8 x float> %v413, ptr %v418, align 4
  %v419 = mul nsw i64 %v5, %v31
  %v420 = add nsw i64 %v370, %v419
  %v421 = getelementptr inbounds float, ptr %v29, i64 %v420
  %v422 = load <8 x float>, ptr %v421, align 4
  %v423 = getelementptr inbounds float, ptr %v39, i64 %v370
  %v424 = load <8 x float>, ptr %v423, align 4
  %v425 = fadd contract <8 x float> %v422, %v424
  %v426 = insertelement <8 x float> poison, float %v111, i64 0
  %v427 = shufflevector <8 x float> %v426, <8 x float> poison, <8 x i32> zeroinitializer
  %v428 = fsub contract <8 x float> %v425, %v427
  %v429 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v428
  %v430 = select <8 x i1> %v429, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v428
  %v431 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v430
  %v432 = select <8 x i1> %v431, <8 x float> splat (float 0x4056400000000000), <8 x float> %v430
  %v433 = fmul <8 x float> %v432, splat (float 0x3FF7154760000000)
  %v434 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v433)
  %v435 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v434, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v432)
  %v436 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v434, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v435)
  %v437 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v436, <8 x float> splat (float 0x3F81227760000000))
  %v438 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v437, <8 x float> %v436, <8 x float> splat (float 0x3FA5556740000000))
  %v439 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v438, <8 x float> %v436, <8 x float> splat (float 0x3FC5554B00000000))
  %v440 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v439, <8 x float> %v436, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v441 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v440, <8 x float> %v436, <8 x float> splat (float 0x3FF0000000000000))
  %v442 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v441, <8 x float> %v436, <8 x float> splat (float 0x3FF0000000000000))
  %v443 = fadd <8 x float> %v434, splat (float 0x4168000000000000)
  %v444 = bitcast <8 x float> %v443 to <8 x i32>
  %v445 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v446 = sub <8 x i32> %v444, %v445
  %v447 = ashr <8 x i32> %v446, splat (i32 1)
  %v448 = add <8 x i32> %v447, splat (i32 127)
  %v449 = shl <8 x i32> %v448, splat (i32 23)
  %v450 = bitcast <8 x i32> %v449 to <8 x float>
  %v451 = fmul <8 x float> %v442, %v450
  %v452 = sub <8 x i32> %v446, %v447
  %v453 = add <8 x i32> %v452, splat (i32 127)
  %v454 = shl <8 x i32> %v453, splat (i32 23)
  %v455 = bitcast <8 x i32> %v454 to <8 x float>
  %v456 = fmul <8 x float> %v451, %v455
  %v457 = insertelement <8 x float> poison, float %v359, i64 0
  %v458 = shufflevector <8 x float> %v457, <8 x float> poison, <8 x i32> zeroinitializer
  %v459 = fdiv <8 x float> %v456, %v458
  %v460 = getelementptr inbounds float, ptr %v417, i64 %v420
  store <8 x float> %v459, ptr %v460, align 4
  %v461 = mul nsw i64 %v5, %v31
  %v462 = add nsw i64 %v371, %v461
  %v463 = getelementptr inbounds float, ptr %v29, i64 %v462
  %v464 = load <8 x float>, ptr %v463, align 4
  %v465 = getelementptr inbounds float, ptr %v39, i64 %v371
  %v466 = load <8 x float>, ptr %v465, align 4
  %v467 = fadd contract <8 x float> %v464, %v466
  %v468 = insertelement <8 x float> poison, float %v111, i64 0
  %v469 = shufflevector <8 x float> %v468, <8 x float> poison, <8 x i32> zeroinitializer
  %v470 = fsub contract <8 x float> %v467, %v469
  %v471 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v470
  %v472 = select <8 x i1> %v471, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v470
  %v473 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v472
  %v474 = select <8 x i1> %v473, <8 x float> splat (float 0x4056400000000000), <8 x float> %v472
  %v475 = fmul <8 x float> %v474, splat (float 0x3FF7154760000000)
  %v476 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v475)
  %v477 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v476, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v474)
  %v478 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v476, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v477)
  %v479 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v478, <8 x float> splat (float 0x3F81227760000000))
  %v480 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v479, <8 x float> %v478, <8 x float> splat (float 0x3FA5556740000000))
  %v481 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v480, <8 x float> %v478, <8 x float> splat (float 0x3FC5554B00000000))
  %v482 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v481, <8 x float> %v478, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v483 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v482, <8 x float> %v478, <8 x float> splat (float 0x3FF0000000000000))
  %v484 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v483, <8 x float> %v478, <8 x float> splat (float 0x3FF0000000000000))
  %v485 = fadd <8 x float> %v476, splat (float 0x4168000000000000)
  %v486 = bitcast <8 x float> %v485 to <8 x i32>
  %v487 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v488 = sub <8 x i32> %v486, %v487
  %v489 = ashr <8 x i32> %v488, splat (i32 1)
  %v490 = add <8 x i32> %v489, splat (i32 127)
  %v491 = shl <8 x i32> %v490, splat (i32 23)
  %v492 = bitcast <8 x i32> %v491 to <8 x float>
  %v493 = fmul <8 x float> %v484, %v492
  %v494 = sub <8 x i32> %v488, %v489
  %v495 = add <8 x i32> %v494, splat (i32 127)
  %v496 = shl <8 x i32> %v495, splat (i32 23)
  %v497 = bitcast <8 x i32> %v496 to <8 x float>
  %v498 = fmul <8 x float> %v493, %v497
  %v499 = insertelement <8 x float> poison, float %v359, i64 0
  %v500 = shufflevector <8 x float> %v499, <8 x float> poison, <8 x i32> zeroinitializer
  %v501 = fdiv <8 x float> %v498, %v500
  %v502 = getelementptr inbounds float, ptr %v417, i64 %v462
  store <8 x float> %v501, ptr %v502, align 4
  %v503 = mul nsw i64 %v5, %v31
  %v504 = add nsw i64 %v372, %v503
  %v505 = getelementptr inbounds float, ptr %v29, i64 %v504
  %v506 = load <8 x float>, ptr %v505, align 4
  %v507 = getelementptr inbounds float, ptr %v39, i64 %v372
  %v508 = load <8 x float>, ptr %v507, align 4
  %v509 = fadd contract <8 x float> %v506, %v508
  %v510 = insertelement <8 x float> poison, float %v111, i64 0
  %v511 = shufflevector <8 x float> %v510, <8 x float> poison, <8 x i32> zeroinitializer
  %v512 = fsub contract <8 x float> %v509, %v511
  %v513 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v512
  %v514 = select <8 x i1> %v513, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v512
  %v515 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v514
  %v516 = select <8 x i1> %v515, <8 x float> splat (float 0x4056400000000000), <8 x float> %v514
  %v517 = fmul <8 x float> %v516, splat (float 0x3FF7154760000000)
  %v518 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v517)
  %v519 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v518, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v516)
  %v520 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v518, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v519)
  %v521 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v520, <8 x float> splat (float 0x3F81227760000000))
  %v522 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v521, <8 x float> %v520, <8 x float> splat (float 0x3FA5556740000000))
  %v523 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v522, <8 x float> %v520, <8 x float> splat (float 0x3FC5554B00000000))
  %v524 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v523, <8 x float> %v520, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v525 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v524, <8 x float> %v520, <8 x float> splat (float 0x3FF0000000000000))
  %v526 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v525, <8 x float> %v520, <8 x float> splat (float 0x3FF0000000000000))
  %v527 = fadd <8 x float> %v518, splat (float 0x4168000000000000)
  %v528 = bitcast <8 x float> %v527 to <8 x i32>
  %v529 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v530 = sub <8 x i32> %v528, %v529
  %v531 = ashr <8 x i32> %v530, splat (i32 1)
  %v532 = add <8 x i32> %v531, splat (i32 127)
  %v533 = shl <8 x i32> %v532, splat (i32 23)
  %v534 = bitcast <8 x i32> %v533 to <8 x float>
  %v535 = fmul <8 x float> %v526, %v534
  %v536 = sub <8 x i32> %v530, %v531
  %v537 = add <8 x i32> %v536, splat (i32 127)
  %v538 = shl <8 x i32> %v537, splat (i32 23)
  %v539 = bitcast <8 x i32> %v538 to <8 x float>
  %v540 = fmul <8 x float> %v535, %v539
  %v541 = insertelement <8 x float> poison, float %v359, i64 0
  %v542 = shufflevector <8 x float> %v541, <8 x float> poison, <8 x i32> zeroinitializer
  %v543 = fdiv <8 x float> %v540, %v542
  %v544 = getelementptr inbounds float, ptr %v417, i64 %v504
  store <8 x float> %v543, ptr %v544, align 4
  %v545 = add nsw i64 %v368, 32
  store i64 %v545, ptr %slot367
  br label %loop364
done366:
  store i64 %v363, ptr %slot549
  br label %loop546
loop546:
  %v550 = load i64, ptr %slot549
  %v551 = icmp slt i64 %v550, %v12
  br i1 %v551, label %body547, label %done548
body547:
  %v552 = sub i64 %v12, %v550
  %v553 = trunc i64 %v552 to i32
  %v554 = insertelement <8 x i32> poison, i32 %v553, i64 0
  %v555 = shufflevector <8 x i32> %v554, <8 x i32> poison, <8 x i32> zeroinitializer
  %v556 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v555
  %v557 = mul nsw i64 %v5, %v31
  %v558 = add nsw i64 %v550, %v557
  %v559 = getelementptr inbounds float, ptr %v29, i64 %v558
  %v560 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v559, i32 4, <8 x i1> %v556, <8 x float> splat (float 0x0000000000000000))
  %v561 = getelementptr inbounds float, ptr %v39, i64 %v550
  %v562 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v561, i32 4, <8 x i1> %v556, <8 x float> splat (float 0x0000000000000000))
  %v563 = fadd contract <8 x float> %v560, %v562
  %v564 = insertelement <8 x float> poison, float %v111, i64 0
  %v565 = shufflevector <8 x float> %v564, <8 x float> poison, <8 x i32> zeroinitializer
  %v566 = fsub contract <8 x float> %v563, %v565
  %v567 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v566
  %v568 = select <8 x i1> %v567, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v566
  %v569 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v568
  %v570 = select <8 x i1> %v569, <8 x float> splat (float 0x4056400000000000), <8 x float> %v568
  %v571 = fmul <8 x float> %v570, splat (float 0x3FF7154760000000)
  %v572 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v571)
  %v573 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v572, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v570)
  %v574 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v572, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v573)
  %v575 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v574, <8 x float> splat (float 0x3F81227760000000))
  %v576 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v575, <8 x float> %v574, <8 x float> splat (float 0x3FA5556740000000))
  %v577 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v576, <8 x float> %v574, <8 x float> splat (float 0x3FC5554B00000000))
  %v578 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v577, <8 x float> %v574, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v579 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v578, <8 x float> %v574, <8 x float> splat (float 0x3FF0000000000000))
  %v580 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v579, <8 x float> %v574, <8 x float> splat (float 0x3FF0000000000000))
  %v581 = fadd <8 x float> %v572, splat (float 0x4168000000000000)
  %v582 = bitcast <8 x float> %v581 to <8 x i32>
  %v583 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v584 = sub <8 x i32> %v582, %v583
  %v585 = ashr <8 x i32> %v584, splat (i32 1)
  %v586 = add <8 x i32> %v585, splat (i32 127)
  %v587 = shl <8 x i32> %v586, splat (i32 23)
  %v588 = bitcast <8 x i32> %v587 to <8 x float>
  %v589 = fmul <8 x float> %v580, %v588
  %v590 = sub <8 x i32> %v584, %v585
  %v591 = add <8 x i32> %v590, splat (i32 127)
  %v592 = shl <8 x i32> %v591, splat (i32 23)
  %v593 = bitcast <8 x i32> %v592 to <8 x float>
  %v594 = fmul <8 x float> %v589, %v593
  %v595 = insertelement <8 x float> poison, float %v359, i64 0
  %v596 = shufflevector <8 x float> %v595, <8 x float> poison, <8 x i32> zeroinitializer
  %v597 = fdiv <8 x float> %v594, %v596
  %v598 = getelementptr inbounds float, ptr %v417, i64 %v558
  call void @llvm.masked.store.v8f32.p0(<8 x float> %v597, ptr %v598, i32 4, <8 x i1> %v556)
  %v599 = add nsw i64 %v550, 8
  store i64 %v599, ptr %slot549
  br label %loop546
done548:
  %v600 = add nsw i64 %v5, 1
  store i64 %v600, ptr %slot4
  br label %loop1
done3:
  ret void
}
declare <8 x float> @llvm.maximum.v8f32(<8 x float>, <8 x float>)
declare <8 x float> @llvm.masked.load.v8f32.p0(ptr, i32, <8 x i1>, <8 x float>)
declare <4 x float> @llvm.maximum.v4f32(<4 x float>, <4 x float>)
declare <2 x float> @llvm.maximum.v2f32(<2 x float>, <2 x float>)
declare <1 x float> @llvm.maximum.v1f32(<1 x float>, <1 x float>)
declare <8 x float> @llvm.rint.v8f32(<8 x float>)
declare <8 x float> @llvm.fma.v8f32(<8 x float>, <8 x float>, <8 x float>)
declare void @llvm.masked.store.v8f32.p0(<8 x float>, ptr, i32, <8 x i1>)
